// SPDX-License-Identifier: GPL-2.0-only
/*
 * The walk of gc/iter.bpf.c without the list of what it has removed, which the
 * races' oracle wants and no collector needs: with it a walk would end at the
 * length of the list.
 */
struct bpf_map;
#include "job.h"

/* The context. */
struct sweep {
	__u32 now;
	__u32 removed;		/* out */
};

static long visit(struct bpf_map *map, const void *key, struct ct_value *entry,
		  struct sweep **sweep)
{
	if (READ_ONCE(entry->lifetime) < (*sweep)->now &&
	    !bpf_map_delete_elem(map, key))
		(*sweep)->removed++;
	return 0;
}

SEC("syscall")
int walk(struct sweep *sweep)
{
	sweep->removed = 0;
	bpf_for_each_map_elem(&entries, visit, &sweep, 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
