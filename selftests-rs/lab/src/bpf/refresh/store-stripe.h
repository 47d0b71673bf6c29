/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every packet takes the lock word of its key's stripe, looks up again, stores in
 * place and lets go: lifetimes and counters exact, nothing copied, no tag.
 *
 * The claim: safe with a collector that takes the stripe. Never on a map that
 * evicts: the element may be another flow's by the time of the store.
 */
#include "../striped.h"

static __always_inline __u32 refresh(void *map, const void *key,
				     struct ct_value *entry, struct packet *p)
{
	struct stripe *stripe = take_stripe(PACKET, p->hash);
	__u32 outcome = MISSED;

	if (!stripe)
		return failed(p, -EBUSY);
	entry = look_up_striped(map, key);
	if (entry)
		outcome = store(entry, p);
	drop_stripe(PACKET, stripe);
	return outcome;
}
