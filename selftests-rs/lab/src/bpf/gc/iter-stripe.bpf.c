// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks the map; what seems to have expired is looked up, judged and deleted under
 * the stripe of its key. What is live costs no lock.
 */
#include "striped.h"

static long visit(struct bpf_map *map, const void *visited, struct ct_value *entry, void *ctx);

#include "../walk.h"

static long visit(struct bpf_map *map, const void *visited, struct ct_value *entry, void *ctx)
{
	struct call *call = get_call();
	struct record *r;
	struct key key;

	gate(GC, VISIT);
	key = copy_key(visited);
	gate(GC, PEEK);
	if (!call || READ_ONCE(entry->lifetime) >= call->now)
		return 0;
	r = next_record(call, &key, entry);
	if (!r)
		return 1;
	delete_striped(r, &key, keep_hash(&key, sizeof(struct ct4_key)), call);
	return 0;
}
