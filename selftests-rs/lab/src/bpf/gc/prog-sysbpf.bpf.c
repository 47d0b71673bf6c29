// SPDX-License-Identifier: GPL-2.0-only
/*
 * A syscall program that compares and deletes through bpf_sys_bpf(): the system
 * call's own path, with pointers of the kernel. No helper is needed for it.
 */
#include "../collector.h"

static int collect(struct record *r, struct call *call)
{
	union bpf_attr attr;
	struct record copy = *r;

	__builtin_memset(&attr, 0, sizeof(attr));
	attr.map_fd = call->map_fd;
	attr.key = (__u64)(unsigned long)copy.key;
	attr.flags = BPF_F_COMPARE;
	attr.compare = (__u64)(unsigned long)&copy.lifetime;
	attr.compare_offset = __builtin_offsetof(struct ct_value, lifetime);
	attr.compare_size = sizeof(copy.lifetime);
	gate(GC, COMPARE);
	return fate_of(r, bpf_sys_bpf(BPF_MAP_DELETE_ELEM, &attr, sizeof(attr)));
}

char LICENSE[] SEC("license") = "GPL";
