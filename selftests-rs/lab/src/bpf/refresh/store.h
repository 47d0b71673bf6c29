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

	gate(PACKET, STORE);
	WRITE_ONCE(entry->lifetime, p->lifetime);
	if (entry->flags != p->flags)
		WRITE_ONCE(entry->flags, p->flags);
	account(entry, p);
	return reopen ? replace(map, key, p) : STORED;
}
