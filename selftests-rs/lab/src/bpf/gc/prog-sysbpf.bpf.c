// SPDX-License-Identifier: GPL-2.0-only
/*
 * A syscall program that compares and deletes through bpf_sys_bpf(): the system
 * call's own path, with pointers of the kernel. No helper is needed for it.
 */
#include "../collector.h"

static void collect(struct record *r, const struct key *key, struct call *call)
{
	union keep_word expected = { { .until = r->lifetime, .tag = r->tag } };
	union bpf_attr attr;
	struct key copy = *key;

	__builtin_memset(&attr, 0, sizeof(attr));
	attr.map_fd = call->map_fd;
	attr.key = (__u64)(unsigned long)copy.words;
	attr.flags = BPF_F_COMPARE;
	attr.compare = (__u64)(unsigned long)&expected;
	attr.compare_offset = __builtin_offsetof(struct ct_value, lifetime);
	attr.compare_size = sizeof(expected.until);
	/* A window that is handed to memcmp(), at whose return a debugger can
	 * hold the CPU between compare and unlink: half of the tag as well.
	 */
	if (config.gated)
		attr.compare_size += 2;
	gate(GC, COMPARE);
	fate_of(r, bpf_sys_bpf(BPF_MAP_DELETE_ELEM, &attr, sizeof(attr)));
}

#include "../array.h"
