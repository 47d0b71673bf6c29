/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lock words of the programs' own, one for all keys that hash to it. The verifier
 * does not know that they are locks, so map operations are allowed under them.
 *
 * Who holds one must not be kept from its CPU by somebody who spins for it: XDP
 * runs with bottom halves off, so a task has to take it with interrupts off, or
 * in a program that runs with bottom halves off as well. Nothing here is fair,
 * and nothing finds a dead lock: one stripe at a time.
 */
#ifndef STRIPE_H
#define STRIPE_H

#include "hash.h"

/* A bound, not a time: the holder's virtual CPU may be off its core for a while. */
#define STRIPE_SPINS	(1 << 20)

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, STRIPES);
	__type(key, __u32);
	__type(value, struct stripe);
} stripes SEC(".maps");

static __always_inline bool try_stripe(struct stripe *stripe)
{
	return !__sync_val_compare_and_swap(&stripe->held, 0, 1);
}

struct want {
	__u32 stripe;
	__u32 taken;
};

/* Looks before it swaps: the line stays shared while somebody else has it. */
static long spin_for_stripe(__u64 i, void *ctx)
{
	struct want *want = ctx;
	struct stripe *stripe = bpf_map_lookup_elem(&stripes, &want->stripe);

	if (!stripe || READ_ONCE(stripe->held))
		return 0;
	want->taken = try_stripe(stripe);
	return want->taken;
}

/* The stripe of @hash, by bits that are not in the tag; NULL if whoever held it
 * did not let go of it in all that time.
 */
static __always_inline struct stripe *take_stripe(__u64 hash)
{
	struct want want = { .stripe = (hash >> 40) % STRIPES };
	struct stripe *stripe;

	stripe = bpf_map_lookup_elem(&stripes, &want.stripe);
	if (!stripe || try_stripe(stripe))
		return stripe;
	bpf_loop(STRIPE_SPINS, spin_for_stripe, &want, 0);
	return want.taken ? stripe : NULL;
}

/* An exchange is a full barrier: what was done under the stripe is done before. */
static __always_inline void drop_stripe(struct stripe *stripe)
{
	__sync_lock_test_and_set(&stripe->held, 0);
}

#endif
