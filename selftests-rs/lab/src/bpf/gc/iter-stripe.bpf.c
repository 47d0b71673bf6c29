// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks the map; what seems to have expired is looked up, judged and deleted under
 * the stripe of its key. What is live costs no lock.
 */
#include "striped.h"
#include "../walk.h"

static __always_inline long collect_visited(const struct key *key, struct ct_value *entry,
					    struct call *call)
{
	struct record *r;

	gate(GC, PEEK);
	if (!call || READ_ONCE(entry->lifetime) >= call->now)
		return 0;
	r = next_record(call, key, entry);
	if (!r)
		return 1;
	delete_striped(r, key, keep_hash(key, sizeof(struct ct4_key)), call);
	return 0;
}
