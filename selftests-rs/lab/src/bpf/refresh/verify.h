/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exchanges the lifetime and looks again. Another element, or none: the
 * collector was faster, and the entry is put back whole.
 */
#include "../datapath.h"

static __always_inline __u32 refresh(void *map, const void *key,
				     struct ct_value *entry, struct packet *p)
{
	struct ct_value *again;

	gate(PACKET, EXCHANGE);
	__sync_lock_test_and_set(&entry->lifetime, p->lifetime);
	if (entry->flags != p->flags)
		WRITE_ONCE(entry->flags, p->flags);
	account(entry, p);
	gate(PACKET, LOOK_UP_AGAIN);
	again = bpf_map_lookup_elem(map, key);
	return again == entry ? STORED : replace(map, key, p);
}
