// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs on the CPU that opened the flow, with interrupts off: no packet of the flow
 * runs meanwhile, as long as they all come to that CPU. The datapath needs to know
 * nothing of it. User space brings records to their CPU; whether it is the one is
 * looked at again here, since a flow may have been opened anew elsewhere.
 */
#define QUIET
#include "../collector.h"

static void collect(struct record *r, const struct key *key, struct call *call)
{
	struct ct_value *entry;
	unsigned long flags;

	gate(GC, PIN);
	keep_quiet(&flags);
	gate(GC, LOOK_UP);
	entry = bpf_map_lookup_elem(&entries, key);
	if (!entry)
		gone(r);
	else if (READ_ONCE(entry->cpu) != bpf_get_smp_processor_id())
		kept(r);
	else
		judge_and_delete(r, key, entry, call);
	keep_loud(&flags);
}

#include "../array.h"
