// SPDX-License-Identifier: GPL-2.0-only
/* Walks the map, marks by compare-and-swap, deletes by key. */
#include "marked.h"

static long visit(struct bpf_map *map, const void *visited, struct ct_value *entry, void *ctx);

#include "../walk.h"

static long visit(struct bpf_map *map, const void *visited, struct ct_value *entry, void *ctx)
{
	struct call *call = get_call();
	struct record *r;
	struct key key;
	__u64 marked;

	gate(GC, VISIT);
	key = copy_key(visited);
	/* A record first: once it is marked, the entry has to go. */
	if (!call || !has_room(call)) {
		if (call)
			call->full = 1;
		return 1;
	}
	marked = cas_mark(entry, tag_of(keep_hash(&key, sizeof(struct ct4_key))), call->now);
	if (!marked)
		return 0;
	r = next_record(call, &key, entry);
	if (!r) {
		unmark(entry, marked);
		return 1;
	}
	delete_marked(r, &key, entry, marked);
	return 0;
}
