/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The contract between the datapath, the collectors and user space: entries,
 * the clock, the gates, and the lanes through which bursts of packets come in
 * and their outcomes go out. src/layout.rs has the same for Rust.
 */
#ifndef CONNTRACK_H
#define CONNTRACK_H

#include <linux/bpf.h>
#include <linux/errno.h>
#include <linux/in.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define READ_ONCE(x)		(*(volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, v)	(*(volatile typeof(x) *)&(x) = (v))

/* --- entries: laid out like Cilium's ------------------------------------- */

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
	__u64 rx_packets;
	__u64 rx_bytes;
	__u64 tx_packets;
	__u64 tx_bytes;
	__u32 lifetime;		/* expired once it lies before the clock */
	__u16 flags;
	__u16 rev_nat;
#ifdef LOCKED
	struct bpf_spin_lock lock;
#else
	__u32 unused;
#endif
	__u32 reserved[3];
};

_Static_assert(sizeof(struct ct4_key) == 14, "as Cilium's");
_Static_assert(sizeof(struct ct6_key) == 38, "as Cilium's");
_Static_assert(sizeof(struct ct_value) == 56, "as Cilium's");
_Static_assert(__builtin_offsetof(struct ct_value, lifetime) == 32, "as Cilium's");

/* Of a flow that a burst or a test names by its number; src/datapath.rs has the
 * same.
 */
static __always_inline struct ct4_key key_of(__u32 flow)
{
	struct ct4_key key = {
		.saddr = bpf_htonl(0x0a000001),
		.daddr = bpf_htonl(0x0a000002),
		.sport = flow,
		.dport = bpf_htons(80),
		.proto = IPPROTO_TCP,
		.flags = flow >> 16,
	};

	return key;
}

#define CLOSING		1	/* FIN or RST was seen */
#define DEAD		2	/* marked for removal; only under the entry's lock */

/* --- the clock ------------------------------------------------------------ */

/* A counter that the test sets: expiry needs no waiting. For real time, a thread
 * of the test has it follow the machine's.
 *
 * A tick leaves room below it for the flow that wrote a lifetime: whoever finds
 * a lifetime can tell whose it is, and it changes no comparison with the clock.
 */
#define TICK		4096

/* --- gates: a program stops before a step until it is let on --------------- */

enum actor { PACKET, GC, ACTORS = 4 };

/* In the order of src/gate.rs. */
enum step {
	NO_STEP,
	READ_CLOCK,
	LOOK_UP,
	CREATE,
	STORE,
	REPLACE,
	LOCKED_STORE,
	EXCHANGE,
	LOOK_UP_AGAIN,
	JUDGE,
	VISIT,
	LOCKED_MARK,
	DELETE,
	COMPARE,
	FIND,
	CAS,
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
	__u64 dropped;		/* packets of established flows without an entry */
	__u64 snat_dropped;	/* the same, with an entry but no mapping */
	__u64 passed;
	__u64 pad2[4];
	struct gate gates[ACTORS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct control);
} control SEC(".maps");

static __always_inline struct control *get_control(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&control, &zero);
}

/* Set before loading. */
struct config {
	/* Hold at gates. Off, the verifier removes them: the free-running
	 * program has none.
	 */
	__u32 gated;
	/* Ticks that a refresh adds. Short: more entries expire, more races. */
	__u32 timeout;
	/* Ticks that a closing entry has left. */
	__u32 closing_timeout;
	/* Keep a second map, the source NAT mappings, beside the first. */
	__u32 snat;
	/* Packets come in bursts, so lifetimes name the flows that wrote them. */
	__u32 tagged;
	__u32 pad;
};

const volatile struct config config = {
	.timeout = 8,
	.closing_timeout = 1,
};

/* A bound, not a time: some seconds under emulation. */
#define GATE_ROUNDS	64
#define GATE_SPINS	(1 << 20)

static __always_inline void gate(enum actor actor, enum step step)
{
	struct control *c;
	struct gate *g;
	int i, j;
	__u64 n;

	if (!config.gated)
		return;
	c = get_control();
	if (!c)
		return;
	g = &c->gates[actor];
	n = g->at + 1;
	WRITE_ONCE(g->step, step);
	WRITE_ONCE(g->at, n);
	bpf_for(i, 0, GATE_ROUNDS) {
		bpf_for(j, 0, GATE_SPINS) {
			if (READ_ONCE(g->go) >= n)
				return;
		}
	}
	g->gave_up++;
}

static __always_inline __u32 read_clock(void)
{
	struct control *c = get_control();

	return c ? READ_ONCE(c->now) : 0;
}

#endif
