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
#define ASKS_WHEN_DUE
#include "../striped.h"
#include "../half.h"

/* Not inline, as create(). */
static __noinline int renew_striped(void *map, const void *key, struct packet *p)
{
	struct ct_value copy = {};
	struct keep_stripe *stripe;
	long err;

	stripe = packet_stripe(p);
	if (!stripe)
		return failed(p, -EBUSY);
	err = keep_read(map, key, p->tag, &copy);
	if (!err) {
		renew(&copy, p);
		err = keep_replace(map, key, &copy);
	}
	keep_drop(stripe);
	if (err == -ENOENT)
		return MISSED;
	return err ? failed(p, err) : REPLACED;
}

static __always_inline int refresh_due(void *map, const void *key, struct ct_value *entry,
				       struct packet *p)
{
	return renew_striped(map, key, p);
}
