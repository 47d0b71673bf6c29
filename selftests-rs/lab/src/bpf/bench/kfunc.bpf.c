// SPDX-License-Identifier: GPL-2.0-only
/* A syscall program that calls the kfunc which compares and deletes under the bucket's lock. */
#include "bench.h"

extern int bpf_map_compare_and_delete_elem(void *map__const_map, void *key, __u32 key__sz,
					   void *compare, __u32 compare__sz) __ksym;

static __always_inline long remove_one(struct job *job, struct call *call)
{
	/* As struct bpf_map_compare, with room for the lifetime. */
	struct {
		__u32 offset;
		__u32 size;
		__u32 lifetime;
	} compare = { LIFETIME, sizeof(compare.lifetime), job->lifetime };

	job->result = bpf_map_compare_and_delete_elem(&entries, &job->key, sizeof(job->key),
						      &compare, sizeof(compare));
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
