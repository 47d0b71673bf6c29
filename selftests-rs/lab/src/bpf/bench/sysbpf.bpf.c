// SPDX-License-Identifier: GPL-2.0-only
/* A syscall program that compares and deletes through bpf_sys_bpf(), as the system call does. */
#include "bench.h"

static __always_inline long do_one(struct job *job, struct call *call)
{
	union bpf_attr attr;
	struct job copy = *job;

	__builtin_memset(&attr, 0, sizeof(attr));
	attr.map_fd = call->map_fd;
	attr.key = (__u64)(unsigned long)&copy.key;
	attr.flags = BPF_F_COMPARE;
	attr.compare = (__u64)(unsigned long)&copy.lifetime;
	attr.compare_offset = LIFETIME;
	attr.compare_size = sizeof(copy.lifetime);
	job->result = bpf_sys_bpf(BPF_MAP_DELETE_ELEM, &attr, sizeof(attr));
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
