/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exchanges the lifetime and looks again. Another element, or none: the collector
 * was faster, and the entry is put back whole.
 *
 * The claim: a refresh is seen by the collector, or sees that it came too late.
 * Never where elements are handed on at once: the exchange, and what is put back,
 * may be another flow's.
 */
#include "../datapath.h"

static __always_inline __u32 refresh(void *map, const void *key,
				     struct ct_value *entry, struct packet *p)
{
	struct ct_value copy = {};

	gate(PACKET, EXCHANGE);
	__sync_lock_test_and_set(&entry->lifetime, p->lifetime);
	copy_value(&copy, entry);
	if (!look_up_again(map, key, entry))
		return replace(map, key, &copy, p);
	set_flags(entry, p);
	account(entry, p);
	return STORED;
}
