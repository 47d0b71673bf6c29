// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks the map in the kernel and deletes what has expired on the way: no
 * snapshot, no copy of values.
 */
#include "../walk.h"

static __always_inline long collect_visited(const struct key *key, struct ct_value *entry,
					    struct call *call)
{
	struct record *r;

	gate(GC, JUDGE);
	if (!call || READ_ONCE(entry->lifetime) >= call->now)
		return 0;
	r = next_record(call, key, entry);
	if (!r)
		return 1;
	gate(GC, DELETE);
	fate_of(r, bpf_map_delete_elem(&entries, key));
	return 0;
}
