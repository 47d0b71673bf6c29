/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A store under the lock in the value. An entry that a collector has marked dead
 * counts as gone: its removal is under way. A new one is never put over it
 * (BPF_NOEXIST), since that removal is by key and would hit the new one; the SYN
 * that finds it is dropped, and comes again.
 *
 * The claim: a lock in the value is all it takes. Never where elements are handed
 * on at once: nobody looks whose the element is by the time it is locked.
 */
#define LOCKED
#define TAGGED			/* for collectors that look */
#define CREATE_FLAGS	BPF_NOEXIST
#define OWN_CREATE
#include "../datapath.h"

static __always_inline __u32 create(void *map, const void *key, struct packet *p)
{
	__u32 outcome = insert(map, key, p);

	return outcome == AGAIN ? MISSED : outcome;
}

static __always_inline __u32 refresh(void *map, const void *key,
				     struct ct_value *entry, struct packet *p)
{
	bool dead;

	gate(PACKET, LOCKED_STORE);
	bpf_spin_lock(&entry->lock);
	dead = entry->tag & DEAD_MARK;
	if (!dead) {
		keep_closing(entry->flags, p);
		entry->lifetime = p->lifetime;
		entry->flags = p->flags;
		entry->packets++;
		entry->bytes += p->bytes;
	}
	bpf_spin_unlock(&entry->lock);
	if (!dead)
		return STORED;
	return may_open(p) ? create(map, key, p) : MISSED;
}
