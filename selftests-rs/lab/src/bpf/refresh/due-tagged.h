/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * As "due", with a lifetime that names its flow below the tick: what is read in
 * one load is a lifetime and whose it is. An element that was handed on to
 * another flow since the look-up shows that one's, and is not stored to.
 */
#include "../datapath.h"

static __always_inline __u32 refresh(void *map, const void *key,
				     struct ct_value *entry, struct packet *p)
{
	__u32 lifetime;

	gate(PACKET, JUDGE);
	lifetime = READ_ONCE(entry->lifetime);
	if (lifetime < p->now || (lifetime ^ p->lifetime) % TICK)
		return replace(map, key, p);
	return store(entry, p);
}
