/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One aligned 32-bit store through the pointer, as Cilium does for each packet. A
 * connection that is opened again is made anew, as there.
 *
 * The claim: nothing is cheaper. Never with a collector that another CPU's packet
 * can overtake between its look and its delete.
 */
#include "../datapath.h"

static __always_inline __u32 refresh(void *map, const void *key,
				     struct ct_value *entry, struct packet *p)
{
	/* A new entry has no timer yet, and may get none: what was there would be lost. */
#ifndef TIMED
	if (p->kind == OPEN && READ_ONCE(entry->flags) & CLOSING)
		return create(map, key, p);
#endif
	return store(entry, p);
}
