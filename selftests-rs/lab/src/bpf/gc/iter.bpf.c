// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks the map in the kernel and deletes what has expired on the way: no
 * snapshot, no copy. What it removed is listed in @records.
 */
struct bpf_map;
#define NO_ENTRY_POINTS
#include "../collector.h"

static long visit(struct bpf_map *map, const void *key, struct ct_value *entry, struct call **call)
{
	struct records *all;
	struct record *r;
	__u32 zero = 0, i;

	gate(GC, VISIT);
	gate(GC, JUDGE);
	if (READ_ONCE(entry->lifetime) >= (*call)->now)
		return 0;
	all = bpf_map_lookup_elem(&records, &zero);
	i = (*call)->count;
	if (!all || i >= MAX_RECORDS)
		return 1;
	r = &all->record[i];
	__builtin_memcpy(r->key, key, sizeof(struct ct4_key));
	r->lifetime = entry->lifetime;
	gate(GC, DELETE);
	fate_of(r, bpf_map_delete_elem(map, key));
	(*call)->count = i + 1;
	return 0;
}

SEC("syscall")
int walk(struct call *call)
{
	call->count = 0;
	bpf_for_each_map_elem(&entries, visit, &call, 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
