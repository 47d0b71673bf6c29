// SPDX-License-Identifier: GPL-2.0-only
/* The same with the kfunc that compares and replaces: by the next lifetime, and nothing beside it. */
#include "bench.h"

extern int bpf_map_compare_and_update_elem(void *map, void *key, void *value, void *expected,
					   __u64 window) __ksym;

static __always_inline long do_one(struct job *job, struct call *call)
{
	struct value expected = { .lifetime = job->lifetime };
	struct value next = { .lifetime = job->lifetime + 1 };

	job->result = bpf_map_compare_and_update_elem(&entries, &job->key, &next, &expected,
						      WINDOW);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
