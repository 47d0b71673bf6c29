// SPDX-License-Identifier: GPL-2.0-only
/* A syscall program calls the kfunc that compares and deletes in one step. */
#include "../collector.h"

extern int bpf_map_compare_and_delete_elem(void *map, void *key, void *expected,
					   __u64 window) __ksym;

/* Where the lifetime is, and so many bytes. */
#define WINDOW(size)	((__u64)__builtin_offsetof(struct ct_value, lifetime) << 32 | (size))

static void collect(struct record *r, const struct key *key, struct call *call)
{
	/* As it was seen, as far as it is compared. */
	struct ct_value expected = { .lifetime = r->lifetime, .tag = r->tag };
	struct key copy = *key;

	gate(GC, COMPARE);
	/* A window that is handed to memcmp(), at whose return a debugger can hold the CPU
	 * between compare and unlink: half of the tag as well.
	 */
	if (config.gated)
		fate_of(r, bpf_map_compare_and_delete_elem(&entries, &copy, &expected, WINDOW(6)));
	else
		fate_of(r, bpf_map_compare_and_delete_elem(&entries, &copy, &expected, WINDOW(4)));
}

#include "../array.h"
