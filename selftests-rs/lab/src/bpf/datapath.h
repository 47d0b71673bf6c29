/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A packet on its way through the datapath, and how entries are created and
 * replaced. A refresh discipline (refresh/NAME.h) is one function:
 *
 *	static __always_inline __u32 refresh(void *map, const void *key,
 *					     struct ct_value *entry,
 *					     struct packet *p);
 *
 * It gives @entry, which the look-up found, p->lifetime and p->flags, and
 * says what came of it. A discipline with a lock in the value defines LOCKED, and
 * one that creates entries in another way CREATE_FLAGS, before it includes this.
 */
#ifndef DATAPATH_H
#define DATAPATH_H

#include "conntrack.h"

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
	FAILED,			/* a map operation did: see err */
};

/* One packet in a lane: what user space asks, and what became of it. */
struct packet {
	__u32 flow;
	__u32 kind;
	__u32 now;		/* the clock it read */
	__u32 seen;		/* lifetime found, if an entry was */
	__u32 lifetime;		/* lifetime to write */
	__u16 outcome;
	__s16 err;
	__u32 flags;		/* flags to write */
	__u32 bytes;
};

static __always_inline void account(struct ct_value *entry, struct packet *p)
{
	__sync_fetch_and_add(&entry->rx_packets, 1);
	__sync_fetch_and_add(&entry->rx_bytes, p->bytes);
}

static __always_inline __u32 failed(struct packet *p, long err)
{
	p->err = err;
	return FAILED;
}

/* Puts a value of its own in place of the entry, or where there is none. All
 * that holds the bucket's lock comes before or after it.
 */
static __always_inline __u32 replace(void *map, const void *key, struct packet *p)
{
	struct ct_value value = {
		.rx_packets = 1,
		.rx_bytes = p->bytes,
		.lifetime = p->lifetime,
		.flags = p->flags,
	};
	long err;

	gate(PACKET, REPLACE);
	err = bpf_map_update_elem(map, key, &value, BPF_ANY);
	return err ? failed(p, err) : REPLACED;
}

/* Gives the entry what the packet has to say of it, in place: no lock is held,
 * and the element may be another flow's by now.
 */
static __always_inline __u32 store(struct ct_value *entry, struct packet *p)
{
	gate(PACKET, STORE);
	WRITE_ONCE(entry->lifetime, p->lifetime);
	if (entry->flags != p->flags)
		WRITE_ONCE(entry->flags, p->flags);
	account(entry, p);
	return STORED;
}

#ifndef CREATE_FLAGS
#define CREATE_FLAGS BPF_ANY
#endif

static __always_inline __u32 create(void *map, const void *key, struct packet *p)
{
	struct ct_value value = {
		.rx_packets = 1,
		.rx_bytes = p->bytes,
		.lifetime = p->lifetime,
	};
	long err;

	gate(PACKET, CREATE);
	err = bpf_map_update_elem(map, key, &value, CREATE_FLAGS);
	return err ? failed(p, err) : CREATED;
}

#endif
