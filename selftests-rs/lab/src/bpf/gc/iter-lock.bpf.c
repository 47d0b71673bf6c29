// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks the map, marks under the lock in the value what seems to have expired, and
 * deletes it by key. What is live costs no lock.
 */
#include "locked.h"
#include "../walk.h"

static __always_inline long collect_visited(const struct key *key, struct ct_value *entry,
					    struct call *call)
{
	struct record *r;
	__u32 tag;

	gate(GC, PEEK);
	if (call && READ_ONCE(entry->lifetime) >= call->now)
		return 0;
	tag = tag_of(keep_hash(key, sizeof(struct ct4_key)));
	/* A record first: once it is marked, the entry has to go. */
	if (!call || !has_room(call)) {
		if (call)
			call->full = 1;
		return 1;
	}
	if (!keep_mark(&entry->lock, &entry->word, tag, call->now))
		return 0;
	r = next_record(call, key, entry);
	if (!r) {
		keep_unmark(&entry->lock, &entry->word, tag);
		return 1;
	}
	delete_marked(r, key, entry, tag);
	return 0;
}
