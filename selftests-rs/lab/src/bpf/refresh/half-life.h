/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Nothing while more than half of the lifetime is left, then a whole new value: a
 * packet of a live flow pays for a load.
 *
 * The claim: a refresh and a collector that compares both take the bucket's lock,
 * so one comes before the other. Never where elements are handed on while packets
 * run: the copy is made without looking whose it is.
 */
#define TAGGED
#define ASKS_WHEN_DUE
#include "../half.h"

static __noinline int refresh_due(void *map, const void *key, struct ct_value *entry,
				  struct packet *p)
{
	struct ct_value copy = {};

	copy_value(&copy, entry);
	return replace(map, key, &copy, p);
}
