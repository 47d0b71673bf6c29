/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One aligned 32-bit store through the pointer, as Cilium does for each packet.
 * A reopened connection is stored to first and then replaced, as there.
 */
#include "../datapath.h"

static __always_inline __u32 refresh(void *map, const void *key,
				     struct ct_value *entry, struct packet *p)
{
	bool reopen = p->kind == OPEN && entry->flags & CLOSING;

	store(entry, p);
	return reopen ? replace(map, key, p) : STORED;
}
