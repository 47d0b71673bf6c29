// SPDX-License-Identifier: GPL-2.0-only
/* Look up, compare with the clock, delete by key: three steps, in the kernel. */
#include "../collector.h"

static int collect(struct record *r, struct call *call)
{
	struct ct_value *entry;

	gate(GC, LOOK_UP);
	entry = bpf_map_lookup_elem(&entries, r->key);
	if (!entry)
		return gone(r);
	gate(GC, JUDGE);
	if (READ_ONCE(entry->lifetime) >= call->now)
		return kept(r);
	gate(GC, DELETE);
	return fate_of(r, bpf_map_delete_elem(&entries, r->key));
}

char LICENSE[] SEC("license") = "GPL";
