/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * With the key's stripe held and interrupts off: look up, judge, delete. Nobody who
 * takes the stripe comes in between: compare-and-delete, for a lock of one's own.
 */
#ifndef GC_STRIPED_H
#define GC_STRIPED_H

#define QUIET
#include "../collector.h"
#include "../stripe.h"

static __always_inline void delete_striped(struct record *r, const struct key *key, __u64 hash,
					   const struct call *call)
{
	struct ct_value *entry;
	struct stripe *stripe;
	unsigned long flags;

	/* Nobody is held with interrupts off before there is something to hold. */
	gate(GC, TAKE_STRIPE);
	begin_quiet(&flags);
	stripe = take_stripe(hash);
	if (!stripe) {
		error(r, -EBUSY);
		goto out;
	}
	gate(GC, LOOK_UP);
	entry = bpf_map_lookup_elem(&entries, key);
	if (entry)
		judge_and_delete(r, key, entry, call);
	else
		gone(r);
	drop_stripe(stripe);
out:
	end_quiet(&flags);
}

#endif
