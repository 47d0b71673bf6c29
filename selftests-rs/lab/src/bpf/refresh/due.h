/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The clock is read before the entry is looked up. While the entry is live at that
 * time it is stored to in place; once it is due it is replaced.
 *
 * The claim: a collector that judges by a clock of one grace period ago never
 * meets a store, since whoever may still store had read an earlier one, and has
 * ended. Never where elements are handed on within a packet's time,
 * nor where a lifetime gets shorter.
 */
#include "../datapath.h"

static __always_inline __u32 refresh(void *map, const void *key,
				     struct ct_value *entry, struct packet *p)
{
	struct ct_value copy = {};

	gate(PACKET, JUDGE);
	if (READ_ONCE(entry->lifetime) >= p->now)
		return store(entry, p);
	copy_value(&copy, entry);
	return replace(map, key, &copy, p);
}
