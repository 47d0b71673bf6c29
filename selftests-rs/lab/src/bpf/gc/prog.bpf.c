// SPDX-License-Identifier: GPL-2.0-only
/* Look up, compare with the clock, delete by key: three steps, in the kernel. */
#define CLASSIC_RCU
#include "../collector.h"

static void collect(struct record *r, const struct key *key, struct call *call)
{
	struct ct_value *entry;

	gate(GC, LOOK_UP);
	entry = bpf_map_lookup_elem(&entries, key);
	if (!entry)
		return gone(r);
	judge_and_delete(r, key, entry, call);
}

#include "../array.h"
