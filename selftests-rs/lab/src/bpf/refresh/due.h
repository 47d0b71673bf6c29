/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The clock is read before the entry is looked up. While the entry is live at
 * that time it is stored to in place; once it is due it is replaced. Meant for a
 * collector that judges by a clock taken one grace period ago: whoever may
 * still store in place had read an earlier one, and has ended.
 */
#include "../datapath.h"

static __always_inline __u32 refresh(void *map, const void *key,
				     struct ct_value *entry, struct packet *p)
{
	gate(PACKET, JUDGE);
	if (READ_ONCE(entry->lifetime) < p->now)
		return replace(map, key, p);
	return store(entry, p);
}
