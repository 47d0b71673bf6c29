/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * As "half-life", with every update under the lock word of the key's stripe, which
 * a collector holds around look-up, judgement and delete: compare-and-delete, as
 * programs can have it. A packet of a live flow takes no lock. What no stripe keeps
 * out is an eviction, so the copy is checked by a second look-up.
 *
 * The claim: safe with a collector that takes the stripe, on every type of map.
 * Never with anybody who makes, replaces or deletes without the stripe.
 */
#define TAGGED
#include "../striped.h"
#include "../half.h"

static __always_inline __u32 replace_striped(void *map, const void *key, struct packet *p)
{
	struct ct_value copy = {};
	struct ct_value *entry;
	__u32 i;

	for (i = 0; i < TRIES; i++) {
		entry = look_up_striped(map, key);
		if (!entry)
			return MISSED;
		copy_value(&copy, entry);
		if (still_ours(map, key, entry, &copy, p))
			return replace(map, key, &copy, p);
	}
	return failed(p, -EAGAIN);
}

static __always_inline __u32 refresh(void *map, const void *key,
				     struct ct_value *entry, struct packet *p)
{
	union word seen = judge_half(entry);
	struct stripe *stripe;
	__u32 outcome;

	if (seen.tag != p->tag)
		return AGAIN;
	if (enough_left(seen, entry, p))
		return LEFT;
	stripe = packet_stripe(p);
	if (!stripe)
		return failed(p, -EBUSY);
	outcome = replace_striped(map, key, p);
	drop_stripe(stripe);
	return outcome;
}
