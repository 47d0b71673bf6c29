// SPDX-License-Identifier: GPL-2.0-only
/* A syscall program that calls the kfunc which compares and deletes under the bucket's lock. */
#include "bench.h"

extern int bpf_map_compare_and_delete_elem(void *map, void *key, void *expected,
					   __u64 window) __ksym;

static __always_inline long do_one(struct job *job, struct call *call)
{
	struct value expected = { .lifetime = job->lifetime };

	job->result = bpf_map_compare_and_delete_elem(&entries, &job->key, &expected, WINDOW);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
