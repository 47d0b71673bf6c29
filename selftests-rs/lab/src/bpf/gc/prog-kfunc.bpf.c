// SPDX-License-Identifier: GPL-2.0-only
/* A syscall program calls the kfunc that compares and deletes in one step. */
#include "../collector.h"

extern int bpf_map_compare_and_delete_elem(void *map, void *key, __u32 key__sz, void *compare,
					   __u32 compare__sz) __ksym;

static int collect(struct record *r, struct call *call)
{
	/* A window, and the bytes that are expected in it. An expired entry is
	 * open: a closing one has other flags.
	 */
	struct {
		__u32 offset;
		__u32 size;
		__u32 lifetime;
		__u16 flags;
		__u16 pad;
	} compare = {
		.offset = __builtin_offsetof(struct ct_value, lifetime),
		.size = sizeof(compare.lifetime),
		.lifetime = r->lifetime,
	};
	struct record copy = *r;
	__u32 key_size = call->key_size;

	if (key_size > sizeof(copy.key))
		return fate_of(r, -EINVAL);
	/* A window that is handed to memcmp(), at whose return a debugger can
	 * hold the CPU between compare and unlink.
	 */
	if (config.gated)
		compare.size += sizeof(compare.flags);
	gate(GC, COMPARE);
	return fate_of(r, bpf_map_compare_and_delete_elem(&entries, copy.key, key_size, &compare,
							  sizeof(compare)));
}

char LICENSE[] SEC("license") = "GPL";
