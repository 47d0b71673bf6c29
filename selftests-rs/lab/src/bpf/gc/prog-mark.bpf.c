// SPDX-License-Identifier: GPL-2.0-only
/* Looks up, marks by compare-and-swap, deletes by key. */
#include "marked.h"

static void collect(struct record *r, const struct key *key, struct call *call)
{
	__u32 tag = tag_of(hash_of_key(key, call));
	struct ct_value *entry;
	__u64 marked;

	gate(GC, LOOK_UP);
	entry = bpf_map_lookup_elem(&entries, key);
	if (!entry)
		return gone(r);
	marked = cas_mark(entry, tag, call->now);
	if (!marked)
		return kept(r);
	delete_marked(r, key, entry, marked);
}

#include "../array.h"
