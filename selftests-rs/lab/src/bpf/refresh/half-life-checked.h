/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * As "half-life", but what was copied is only written if the element was still
 * this flow's when it had been copied, by a second look-up and by its tag.
 *
 * The claim: safe with a collector that compares under the bucket's lock, and the
 * cheapest that is, as long as the packets of a flow come one by one. Never with
 * anybody who stores in place: a copy is older.
 */
#define TAGGED
#define ASKS_WHEN_DUE
#include "../half.h"

static __noinline int refresh_due(void *map, const void *key, struct ct_value *entry,
				  struct packet *p)
{
	struct ct_value copy = {};

	if (!keep_copy(map, key, entry, p->tag, &copy))
		return AGAIN;
	return replace(map, key, &copy, p);
}
