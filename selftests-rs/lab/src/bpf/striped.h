/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A datapath that writes under stripes: every entry is made with its stripe held.
 */
#ifndef STRIPED_H
#define STRIPED_H

#define STRIPED
#define OWN_CREATE
#include "datapath.h"
#include "stripe.h"

static __always_inline __u32 create(void *map, const void *key, struct packet *p)
{
	struct stripe *stripe = take_stripe(PACKET, p->hash);
	__u32 outcome;

	if (!stripe)
		return failed(p, -EBUSY);
	outcome = insert(map, key, p);
	drop_stripe(PACKET, stripe);
	return outcome;
}

/* Under the stripe, nobody who takes it removes or replaces what is found here. */
static __always_inline struct ct_value *look_up_striped(void *map, const void *key)
{
	gate(PACKET, LOOK_UP_STRIPED);
	return bpf_map_lookup_elem(map, key);
}

#endif
