// SPDX-License-Identifier: GPL-2.0-only
/* Walks the map, marks by compare-and-swap, deletes by key. */
#include "marked.h"
#include "../walk.h"

static __always_inline long collect_visited(const struct key *key, struct ct_value *entry,
					    struct call *call)
{
	struct record *r;
	__u64 marked;

	/* A record first: once it is marked, the entry has to go. */
	if (!call || !has_room(call)) {
		if (call)
			call->full = 1;
		return 1;
	}
	marked = cas_mark(entry, tag_of(keep_hash(key, sizeof(struct ct4_key))), call->now);
	if (!marked)
		return 0;
	r = next_record(call, key, entry);
	if (!r) {
		unmark(entry, marked);
		return 1;
	}
	delete_marked(r, key, entry, marked);
	return 0;
}
