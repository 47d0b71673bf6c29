/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A datapath that writes under stripes: every entry is made with its stripe held.
 */
#ifndef STRIPED_H
#define STRIPED_H

#define STRIPED
#define OWN_CREATE
#define CREATE_FLAGS	BPF_NOEXIST	/* somebody else may have been first */
#include "datapath.h"
#include "stripe.h"

static __always_inline struct stripe *packet_stripe(const struct packet *p)
{
	gate(PACKET, TAKE_STRIPE);
	return take_stripe(p->hash);
}

/* With @stripe held, which is let go of. */
static __always_inline __u32 create_under(struct stripe *stripe, void *map, const void *key,
					  struct packet *p)
{
	__u32 outcome = insert(map, key, p);

	drop_stripe(stripe);
	return outcome;
}

static __always_inline __u32 create(void *map, const void *key, struct packet *p)
{
	struct stripe *stripe = packet_stripe(p);

	return stripe ? create_under(stripe, map, key, p) : failed(p, -EBUSY);
}

/* Under the stripe, nobody who takes it removes or replaces what is found here. */
static __always_inline struct ct_value *look_up_striped(void *map, const void *key)
{
	gate(PACKET, LOOK_UP_STRIPED);
	return bpf_map_lookup_elem(map, key);
}

#endif
