/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The form of a collector that walks the map by itself. What it has come to is
 * listed in @records; once they are full the walk ends, says so, and is called
 * again: no removal goes untold. Where no oracle listens (config.oracle), removals
 * are counted and not listed, and the walk is one.
 */
#ifndef WALK_H
#define WALK_H

#include "collector.h"

/* Something that has been marked has to go: is there a record for it? */
static __always_inline bool has_room(const struct call *call)
{
	return !config.oracle || call->count < MAX_RECORDS;
}

/* Without a list every entry has the same record, which says what came of the last one. */
static __always_inline void count_last(struct call *call)
{
	call->count += call->one.fate == REMOVED;
	call->one.fate = ASKED;
}

/* The next record, with the visited key in it; NULL: end the walk. */
static __always_inline struct record *next_record(struct call *call, const struct key *key,
						  const struct ct_value *entry)
{
	struct records *all;
	struct record *r;
	__u32 i;

	if (!config.oracle) {
		count_last(call);
		return &call->one;
	}
	all = get_records();
	i = call->count;
	if (!all || i >= MAX_RECORDS) {
		call->full = 1;
		return NULL;
	}
	r = &all->record[i];
	__builtin_memcpy(r->key, key->words, sizeof(r->key));
	r->lifetime = READ_ONCE(entry->lifetime);
	r->tag = READ_ONCE(entry->tag);
	r->fate = ASKED;
	r->err = 0;
	call->count = i + 1;
	return r;
}

/* The visited key lies in the element, which may be another flow's at any time. */
static __always_inline struct key copy_key(const void *visited)
{
	struct key key = {};

	gate(GC, COPY_KEY);
	__builtin_memcpy(&key, visited, sizeof(struct ct4_key));
	return key;
}

static __always_inline long collect_visited(const struct key *key, struct ct_value *entry,
					    struct call *call);

static long visit(struct bpf_map *map, const void *visited, struct ct_value *entry, void *ctx)
{
	struct call *call = get_call();
	struct key key;

	gate(GC, VISIT);
	key = copy_key(visited);
	return collect_visited(&key, entry, call);
}

static __always_inline int do_walk(void)
{
	struct call *call = get_call();

	if (!call)
		return 1;
	call->count = 0;
	call->full = 0;
	call->one.fate = ASKED;
	bpf_for_each_map_elem(&entries, visit, NULL, 0);
	if (!config.oracle)
		count_last(call);
	return 0;
}

ENTRY(walk)

char LICENSE[] SEC("license") = "GPL";

#endif
