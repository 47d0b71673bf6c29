/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every packet takes the lock word of its key's stripe, looks up, stores in place
 * and lets go: lifetimes and counters exact, nothing copied, no tag.
 *
 * The claim: safe with a collector that takes the stripe. Never on a map that
 * evicts: the element may be another flow's by the time of the store.
 */
#define OWN_HANDLE
#include "../striped.h"

static __always_inline __u32 handle(void *map, const void *key, struct packet *p)
{
	struct keep_stripe *stripe = packet_stripe(p);
	struct ct_value *entry;
	__u32 outcome = MISSED;

	if (!stripe)
		return failed(p, -EBUSY);
	gate(PACKET, LOOK_UP_STRIPED);
	entry = bpf_map_lookup_elem(map, key);
	if (!entry && may_open(p))
		outcome = insert(map, key, p);
	if (entry) {
		found(map, key, entry, p);
		/* Another CPU may have stored for this flow while this one waited. */
		settle(entry->lifetime, entry->flags, p);
		outcome = store(entry, p);
	}
	keep_drop(stripe);
	return outcome;
}
