/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * While more than half of its lifetime is left an entry is not written at all;
 * after that it is replaced. No store in place ever: packets and bytes have to
 * be counted elsewhere (a per-CPU map), and a lifetime is exact to a half.
 *
 * Below its tick a lifetime names the flow that wrote it. The element may be
 * another flow's by now, and that one's lifetime says nothing of this flow.
 */
#include "../datapath.h"

static __always_inline __u32 refresh(void *map, const void *key,
				     struct ct_value *entry, struct packet *p)
{
	__u32 lifetime;

	gate(PACKET, JUDGE);
	lifetime = READ_ONCE(entry->lifetime);
	if (!((lifetime ^ p->lifetime) % TICK) && entry->flags == p->flags &&
	    lifetime >= p->now + config.timeout / 2 * TICK)
		return LEFT;
	return replace(map, key, p);
}
