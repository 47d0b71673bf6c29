/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Lock words of the programs' own, one for all keys that hash to it. The verifier
 * does not know that they are locks, so map operations are allowed under them.
 *
 * A holder must not be kept from its CPU by somebody who spins for its stripe. XDP
 * and tc run with bottom halves off, so they may hold one; whoever else takes one
 * has to turn interrupts off first (collect.h does), or run with bottom halves off
 * too. On PREEMPT_RT a packet can be preempted: this is not for it.
 *
 * Nothing here is fair, and nothing finds a dead lock: hold one stripe at a time.
 */
#ifndef KEEP_STRIPES_H
#define KEEP_STRIPES_H

#include "hash.h"

/* Where this object has the table made. */
#ifndef KEEP_STRIPES
#define KEEP_STRIPES	1024
#endif

/* Where it is given one of any size. */
#ifndef KEEP_STRIPE_COUNT
#define KEEP_STRIPE_COUNT	KEEP_STRIPES
#endif

/* How long to wait for a stripe: a bound, not a time. Some 100 microseconds. (The lab
 * waits longer, since it stops holders on purpose; the tests of this folder do not.)
 */
#ifndef KEEP_SPINS
#define KEEP_SPINS	(1 << 14)
#endif

#define KEEP_MAGIC	0x4b454550U	/* "KEEP" */

/* A cache line. The loader writes seed and magic to each before any program runs:
 * before that, no stripe is to be had, and no flow opens.
 */
struct keep_stripe {
	__u32 held;
	__u32 magic;
	__u64 seed;		/* who hashes with another takes no stripe, */
	__u32 hash;		/* nor who hashes otherwise, */
	__u32 count;		/* nor who chooses among more or fewer */
	__u64 pad[5];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, KEEP_STRIPES);
	__type(key, __u32);
	__type(value, struct keep_stripe);
#ifdef KEEP_PIN_STRIPES
	__uint(pinning, LIBBPF_PIN_BY_NAME);
#endif
} keep_stripes SEC(".maps");

static __always_inline bool keep_try(struct keep_stripe *stripe)
{
	return !__sync_val_compare_and_swap(&stripe->held, 0, 1);
}

struct keep_want {
	__u32 stripe;
	__u32 taken;
};

/* Looks before it swaps: the line stays shared while somebody else has it. */
static long keep_spin(__u64 i, void *ctx)
{
	struct keep_want *want = ctx;
	struct keep_stripe *stripe = bpf_map_lookup_elem(&keep_stripes, &want->stripe);

	if (!stripe || KEEP_LOAD(stripe->held))
		return 0;
	want->taken = keep_try(stripe);
	return want->taken;
}

/* The stripe of @hash, held; NULL if its holder did not let go of it in all that
 * time, or if the table was not set up for this seed, hash and count.
 */
static __always_inline struct keep_stripe *keep_take(__u64 hash)
{
	struct keep_want want = { .stripe = keep_pick(hash, KEEP_STRIPE_COUNT) };
	struct keep_stripe *stripe;

	stripe = bpf_map_lookup_elem(&keep_stripes, &want.stripe);
	if (!stripe || stripe->magic != KEEP_MAGIC || stripe->seed != KEEP_SEED)
		return NULL;
	if (stripe->hash != KEEP_HASH_ID || stripe->count != KEEP_STRIPE_COUNT)
		return NULL;
	if (keep_try(stripe))
		return stripe;
	bpf_loop(KEEP_SPINS, keep_spin, &want, 0);
	return want.taken ? stripe : NULL;
}

/* An exchange is a full barrier: what was done under the stripe is done before. */
static __always_inline void keep_drop(struct keep_stripe *stripe)
{
	__sync_lock_test_and_set(&stripe->held, 0);
}

#endif
