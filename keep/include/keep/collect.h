/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The collector's side of the stripes: with the stripe of the key held and
 * interrupts off, look up, judge, delete. Nobody who takes the stripe comes in
 * between. It works for values that are replaced under the stripe (half-life.h) and
 * for values that are stored to in place under it (but on LRU maps a store may hit
 * the element of a flow that came after).
 */
#ifndef KEEP_COLLECT_H
#define KEEP_COLLECT_H

#include "quiet.h"
#include "stripes.h"

/* When an entry is gone, with the stripe still held. */
#ifndef KEEP_REMOVED
#define KEEP_REMOVED(ctx)
#endif

/* Deletes the entry of @key if expired(entry, ctx) says so of it. 0: deleted.
 * -EAGAIN: it lives. -ENOENT: it is not there. -EBUSY: the stripe is not to be had,
 * try later. Anything else is the map's.
 */
static __always_inline long keep_collect(void *map, const void *key, __u64 hash,
					 bool (*expired)(const void *entry, void *ctx),
					 void *ctx)
{
	struct keep_stripe *stripe;
	unsigned long flags;
	const void *entry;
	long err;

	KEEP_GC_STEP(TAKE_STRIPE);
	keep_quiet(&flags);
	stripe = keep_take(hash);
	if (!stripe) {
		err = -EBUSY;
		goto out;
	}
	KEEP_GC_STEP(LOOK_UP);
	entry = bpf_map_lookup_elem(map, key);
	if (!entry) {
		err = -ENOENT;
		goto drop;
	}
	KEEP_GC_STEP(JUDGE);
	if (!expired(entry, ctx)) {
		err = -EAGAIN;
		goto drop;
	}
	KEEP_GC_STEP(DELETE);
	err = bpf_map_delete_elem(map, key);
	if (!err)
		KEEP_REMOVED(ctx);
drop:
	keep_drop(stripe);
out:
	keep_loud(&flags);
	return err;
}

#endif
