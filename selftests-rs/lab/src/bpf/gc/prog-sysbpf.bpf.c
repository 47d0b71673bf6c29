// SPDX-License-Identifier: GPL-2.0-only
/*
 * A syscall program that compares and deletes through bpf_sys_bpf(): the system
 * call's own path, with pointers of the kernel. No helper is needed for it.
 */
#include "../collector.h"

static int collect(struct record *r, struct call *call)
{
	/* An expired entry is open: a closing one has other flags. */
	struct {
		__u32 lifetime;
		__u16 flags;
	} expected = { .lifetime = r->lifetime };
	union bpf_attr attr;
	struct record copy = *r;

	__builtin_memset(&attr, 0, sizeof(attr));
	attr.map_fd = call->map_fd;
	attr.key = (__u64)(unsigned long)copy.key;
	attr.flags = BPF_F_COMPARE;
	attr.compare = (__u64)(unsigned long)&expected;
	attr.compare_offset = __builtin_offsetof(struct ct_value, lifetime);
	attr.compare_size = sizeof(expected.lifetime);
	/* A window that is handed to memcmp(), at whose return a debugger can
	 * hold the CPU between compare and unlink.
	 */
	if (config.gated)
		attr.compare_size += sizeof(expected.flags);
	gate(GC, COMPARE);
	return fate_of(r, bpf_sys_bpf(BPF_MAP_DELETE_ELEM, &attr, sizeof(attr)));
}

char LICENSE[] SEC("license") = "GPL";
