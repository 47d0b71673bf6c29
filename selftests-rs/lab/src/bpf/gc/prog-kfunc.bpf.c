// SPDX-License-Identifier: GPL-2.0-only
/* A syscall program calls the kfunc that compares and deletes in one step. */
#include "../collector.h"

extern int bpf_map_compare_and_delete_elem(void *map, void *key, __u32 key__sz, void *compare,
					   __u32 compare__sz) __ksym;

static void collect(struct record *r, const struct key *key, struct call *call)
{
	/* A window, and the bytes that are expected in it. */
	struct {
		__u32 offset;
		__u32 size;
		__u32 lifetime;
		__u32 tag;
	} compare = {
		.offset = __builtin_offsetof(struct ct_value, lifetime),
		.size = sizeof(compare.lifetime),
		.lifetime = r->lifetime,
		.tag = r->tag,
	};
	struct key copy = *key;
	__u32 key_size = call->key_size;

	if (key_size > sizeof(copy))
		return error(r, -EINVAL);
	/* A window that is handed to memcmp(), at whose return a debugger can
	 * hold the CPU between compare and unlink: half of the tag as well.
	 */
	if (config.gated)
		compare.size += 2;
	gate(GC, COMPARE);
	fate_of(r, bpf_map_compare_and_delete_elem(&entries, &copy, key_size, &compare,
						   sizeof(compare)));
}

#include "../array.h"
