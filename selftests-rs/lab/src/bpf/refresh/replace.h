/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A whole new value for each packet: every refresh takes the bucket's lock, and so
 * comes before or after whatever else takes it.
 *
 * The claim: a collector that compares under that lock never takes a refreshed
 * entry. Never where elements are handed on while packets run: the copy is made
 * without looking whose it is.
 */
#include "../datapath.h"

static __always_inline __u32 refresh(void *map, const void *key,
				     struct ct_value *entry, struct packet *p)
{
	struct ct_value copy = {};

	copy_value(&copy, entry);
	return replace(map, key, &copy, p);
}
