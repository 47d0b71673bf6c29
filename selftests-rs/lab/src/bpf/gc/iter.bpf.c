// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks the map in the kernel and deletes what has expired on the way: no
 * snapshot, no copy of values.
 */
#include "../collector.h"

static long visit(struct bpf_map *map, const void *visited, struct ct_value *entry, void *ctx);

#include "../walk.h"

static long visit(struct bpf_map *map, const void *visited, struct ct_value *entry, void *ctx)
{
	struct call *call = get_call();
	struct record *r;
	struct key key;

	gate(GC, VISIT);
	key = copy_key(visited);
	gate(GC, JUDGE);
	if (!call || READ_ONCE(entry->lifetime) >= call->now)
		return 0;
	r = next_record(call, &key, entry);
	if (!r)
		return 1;
	gate(GC, DELETE);
	fate_of(r, bpf_map_delete_elem(&entries, &key));
	return 0;
}
