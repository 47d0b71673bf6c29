/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The contract between the datapath, the collectors and user space: entries, the
 * clock, the gates, the lanes through which bursts of packets come in and their
 * outcomes go out, and the records in which collectors are told of entries. Types,
 * enums and constants alone: build.rs has bindgen make the same of it for Rust.
 */
#ifndef CONTRACT_H
#define CONTRACT_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <keep/word.h>

/* --- entries: as large as Cilium's, with the lifetime where Cilium has it --- */

struct ct4_key {
	__be32 saddr;
	__be32 daddr;
	__be16 sport;
	__be16 dport;
	__u8 proto;
	__u8 flags;
} __attribute__((packed));

struct ct6_key {
	__u8 saddr[16];
	__u8 daddr[16];
	__be16 sport;
	__be16 dport;
	__u8 proto;
	__u8 flags;
} __attribute__((packed));

struct ct_value {
	__u64 packets;
	__u64 bytes;
	/* State: chosen once, with the SYN. A refresh has to leave it as it is. */
	__u32 backend;
	__be16 nat_port;
	__u16 flags;
	__u32 cpu;			/* that opened the flow */
	__u32 unused;
	union {
		union keep_word word;	/* of lifetime and tag */
		struct {
			__u32 lifetime;	/* expired once it lies before the clock */
			__u32 tag;	/* of the tuple, see hash.h; DEAD_MARK */
		};
	};
#if defined(LOCKED)
	struct bpf_spin_lock lock;
	__u32 reserved[3];
#elif defined(TIMED)
	struct bpf_timer timer;
#else
	__u32 reserved[4];
#endif
};

_Static_assert(sizeof(struct ct4_key) == 14, "as Cilium's");
_Static_assert(sizeof(struct ct6_key) == 38, "as Cilium's");
_Static_assert(sizeof(struct ct_value) == 56, "as Cilium's");
_Static_assert(__builtin_offsetof(struct ct_value, lifetime) == 32, "as Cilium's");

#define CLOSING		1	/* flags: FIN or RST was seen */
#define DEAD_MARK	KEEP_DYING_MARK	/* tag: marked for removal */

/* --- the clock --------------------------------------------------------------- */

/* A counter that the test sets: expiry needs no waiting. For real time, a thread
 * of the test has it follow the machine's.
 *
 * A tick leaves room below it for the flow that wrote a lifetime. That is the
 * oracle's instrument alone: it changes no comparison with the clock, and no
 * protocol reads it.
 */
#define TICK		4096

/* --- gates: a side stops before a step until it is let on --------------------- */

enum actor { PACKET, GC, ACTORS = 4 };

/* Every step of every protocol, by the labels of the model. */
enum step {
	NO_STEP,
	/* of programs */
	READ_CLOCK,
	LOOK_UP,
	CREATE,
	STORE,
	COPY_VALUE,
	REPLACE,
	LOOK_UP_AGAIN,
	LOCKED_STORE,
	EXCHANGE,
	JUDGE,
	READ_WORD,
	CAS_STORE,
	TAKE_STRIPE,
	LOOK_UP_STRIPED,
	READ_CURRENT,
	LOOK_UP_CURRENT,
	READ_PREVIOUS,
	LOOK_UP_PREVIOUS,
	COPY_OVER,
	CREATE_CURRENT,
	VISIT,
	COPY_KEY,
	LOCKED_MARK,
	CAS_MARK,
	DELETE,
	UNMARK,
	COMPARE,
	PEEK,
	PIN,
	FIRE,
	FIND,
	CAS,
	/* of user space alone */
	GRACE,
	GRACE_END,
	SNAPSHOT,
	LOOK_UP_LOCKED,
	TAKE,
	RESTORE,
	SWAP_PREVIOUS,
	SWAP_CURRENT,
	DROP,
};

struct gate {
	__u64 at;		/* steps come to, the one waited at included */
	__u64 go;		/* steps allowed */
	__u32 step;		/* the one waited at */
	__u32 gave_up;		/* waited too long */
	__u64 pad[5];
};

struct control {
	__u32 now;
	__u32 pad;
	__u64 dropped;		/* frames of established flows without an entry */
	__u64 snat_dropped;	/* the same, with an entry but no mapping */
	__u64 passed;
	__u64 foreign;		/* frames whose entry had another flow's state */
	__u64 pad2[3];
	struct gate gates[ACTORS];
};

/* Set before loading. */
struct config {
	/* Hold at gates. Off, the verifier removes them: the free-running
	 * program has none.
	 */
	__u32 gated;
	/* Ticks that a refresh adds. Short: more entries expire, more races. For
	 * generations, the period.
	 */
	__u32 timeout;
	/* Ticks that a closing entry has left. */
	__u32 closing_timeout;
	/* Keep a second map, the source NAT mappings, beside the first. */
	__u32 snat;
	/* An oracle listens: look twice at what seems to be another flow's, and
	 * list what a walk removes.
	 */
	__u32 oracle;
	/* Timers fire on the CPU that set them. */
	__u32 pinned;
	/* Packets and removals note when they happen: a map that evicts takes
	 * entries away as well, and the oracle has to tell the two apart.
	 */
	__u32 stamped;
	/* What is left of a hash in a tag. */
	__u32 tag_mask;
	/* Between a timer's firings, in ns. */
	__u64 interval;
	/* Of the hash that tags and stripes come from. */
	__u64 seed;
};

#define SEED		0x243f6a8885a308d3ULL

/* --- packets ------------------------------------------------------------------- */

#define ETH_P_BURST	0x88b5	/* for local experiments */
#define BURST		64	/* as many as NAPI hands over in one poll */
#define LANES		8

enum kind {
	DATA,			/* of an established flow: dropped without an entry */
	OPEN,			/* SYN: opens, or reopens what is closing */
	CLOSE,			/* FIN or RST */
	DATAGRAM,		/* UDP: the first one opens */
};

enum outcome {
	NOTHING,
	MISSED,			/* no entry, dropped */
	CREATED,
	STORED,			/* refreshed in place */
	REPLACED,		/* refreshed by a new value */
	LEFT,			/* live for long enough: nothing written */
	FAILED,			/* a map operation did, or look-ups ran out: see err */
};

/* One packet in a lane: what user space asks, and what became of it. */
struct packet {
	__u32 flow;
	__u32 kind;
	__u32 now;		/* the clock it read */
	__u32 seen;		/* lifetime found, if an entry was */
	__u32 seen_backend;	/* the same of its state */
	__u32 lifetime;		/* lifetime to write */
	__u16 outcome;
	__s16 err;
	__u32 flags;		/* flags to write */
	__u32 bytes;
	__u32 tag;
	__u64 hash;		/* of the tuple, where the discipline wants it */
	__u64 began;		/* when, where packets are stamped */
};

struct lane {
	struct packet packets[BURST];
};

/* What a source port's packets met. */
struct connection {
	__u32 until;		/* lifetime that the last one gave the entry, 0 for none */
	__u32 lost;		/* those that found none, a SYN too, though it was to be there */
	__u32 reset;		/* a RST came after the last SYN */
	__u32 went_on;		/* connections with data after that: it was not theirs */
	__u32 reopened;		/* SYNs that found the entry there after its time */
	__u32 pad;		/* array values begin at multiples of 8 */
};

#define PORTS	65536

struct connections {
	struct connection ports[PORTS];
};

/* The frame that announces a burst. */
struct burst {
	__u8 dest[6];
	__u8 source[6];
	__be16 proto;
	__u16 lane;
	__u16 packets;
} __attribute__((packed));

/* --- collectors ---------------------------------------------------------------- */

#define KEY_WORDS	5
#define MAX_KEY		(8 * KEY_WORDS)
#define MAX_RECORDS	4096

enum fate {
	ASKED,
	REMOVED,
	KEPT,			/* live by now, or another collector is at it */
	ABSENT,			/* somebody else removed it */
	ERROR,			/* see err */
};

/* One entry of a snapshot, and what became of it. */
struct record {
	__u64 key[KEY_WORDS];	/* from its beginning; the rest is zero */
	__u32 lifetime;		/* in the snapshot */
	__u32 tag;		/* likewise */
	__u16 fate;
	__s16 err;
	__u32 pad;
	__u64 done;		/* when it was gone, where removals are stamped */
};

struct records {
	struct record record[MAX_RECORDS];
};

/* What a collector in the kernel is called with. */
struct call {
	struct record one;	/* of the single form */
	__u32 count;		/* records, in the array form; out: listed or counted, when walking */
	__u32 now;		/* what the collector judges by */
	__s32 map_fd;		/* of @entries, in the calling process */
	__u32 key_size;
	__u32 full;		/* out: a walk ended early, for want of records */
	__u32 pad;
};

/* Removals by timers, of flows by their number. What lies beyond is folded in. */
#define COUNTED_FLOWS	8192

struct fired {
	__u32 removed[COUNTED_FLOWS];
	__u32 failed;		/* deletes that failed otherwise than by absence */
	__s32 err;		/* of the last one */
	__u64 firings;
};

#endif
