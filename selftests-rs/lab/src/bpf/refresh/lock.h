/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A store under the lock in the value. An entry that a collector has marked
 * dead counts as gone: its removal is under way. A new one is never put over
 * it (BPF_NOEXIST), since that removal is by key and would hit the new one.
 */
#define LOCKED
#define CREATE_FLAGS BPF_NOEXIST
#include "../datapath.h"

static __always_inline __u32 refresh(void *map, const void *key,
				     struct ct_value *entry, struct packet *p)
{
	bool dead;

	gate(PACKET, LOCKED_STORE);
	bpf_spin_lock(&entry->lock);
	dead = entry->flags & DEAD;
	if (!dead) {
		entry->lifetime = p->lifetime;
		entry->flags = p->flags;
		entry->rx_packets++;
		entry->rx_bytes += p->bytes;
	}
	bpf_spin_unlock(&entry->lock);
	if (!dead)
		return STORED;
	return p->kind == DATA || p->kind == CLOSE ? MISSED : create(map, key, p);
}
