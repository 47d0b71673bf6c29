// SPDX-License-Identifier: GPL-2.0-only
/* Looks up, marks under the lock in the value, deletes by key. */
#include "locked.h"

static void collect(struct record *r, const struct key *key, struct call *call)
{
	__u32 tag = tag_of(hash_of_key(key, call));
	struct ct_value *entry;

	gate(GC, LOOK_UP);
	entry = bpf_map_lookup_elem(&entries, key);
	if (!entry)
		return gone(r);
	if (!keep_mark(&entry->lock, &entry->word, tag, call->now))
		return kept(r);
	delete_marked(r, key, entry, tag);
}

#include "../array.h"
