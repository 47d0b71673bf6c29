// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compares and marks under the lock in the value, so that no refresh comes in
 * between; the removal follows, since no helper may be called with the lock
 * held. Every writer has to respect the mark.
 */
#define LOCKED
#include "../collector.h"

static int collect(struct record *r, struct call *call)
{
	struct ct_value *entry;
	bool expired;

	gate(GC, LOOK_UP);
	entry = bpf_map_lookup_elem(&entries, r->key);
	if (!entry)
		return gone(r);
	gate(GC, LOCKED_MARK);
	bpf_spin_lock(&entry->lock);
	expired = entry->lifetime < call->now;
	if (expired)
		entry->flags |= DEAD;
	bpf_spin_unlock(&entry->lock);
	if (!expired)
		return kept(r);
	gate(GC, DELETE);
	return fate_of(r, bpf_map_delete_elem(&entries, r->key));
}

char LICENSE[] SEC("license") = "GPL";
