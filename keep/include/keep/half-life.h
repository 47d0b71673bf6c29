/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Nothing while fresh, else an update under a stripe. While more than half of its
 * lifetime is left an entry is not written at all: a packet of a live flow pays for
 * one load. One that is due is copied and replaced with the stripe of its key held,
 * which the collector (collect.h) holds around look-up, judgement and delete.
 *
 * The claim: no entry is deleted that a packet has refreshed, no flow gets another's
 * value, nothing is written to another's entry. On HASH (with or without
 * BPF_F_NO_PREALLOC), LRU_HASH and RHASH, from Linux 6.1 on, not on PREEMPT_RT.
 *
 * Who has to cooperate: everybody who creates, replaces or deletes an entry holds
 * the stripe of its key, in programs. An update or a delete by system call takes no
 * stripe: let the collector do it.
 *
 * What is given up: a lifetime is exact to its half, and packets and bytes have to
 * be counted elsewhere, since live entries are not written.
 *
 * Proven by the lab's cells `half-life-stripe x prog-stripe`, `prog-stripe-array`
 * and `iter-stripe`, which include this very file.
 *
 *	entry = bpf_map_lookup_elem(&ct, &key);
 *	if (!entry)
 *		err = keep_create(&ct, &key, hash, &value);
 *	else switch (keep_judge(&entry->word, tag, now + lifetime / 2)) {
 *	case KEEP_FRESH:	break;
 *	case KEEP_OTHER:	look up again: the element is another flow's by now
 *	case KEEP_DUE:
 *		stripe = keep_take(hash);
 *		if (!stripe)
 *			break;		it lives for half of its lifetime still
 *		err = keep_read(&ct, &key, tag, &copy);
 *		if (!err) {
 *			copy.word.until = now + lifetime;
 *			err = keep_replace(&ct, &key, &copy);
 *		}
 *		keep_drop(stripe);
 *	}
 *
 * keep/examples/conntrack.bpf.c is that in full.
 */
#ifndef KEEP_HALF_LIFE_H
#define KEEP_HALF_LIFE_H

#include "judge.h"
#include "stripes.h"
#include "value.h"

/* Looks at an entry while others may give it another owner, before it gives up. */
#define KEEP_TRIES	8

/* With the stripe held: a copy of the entry of @key. 0, or -ENOENT, or -EAGAIN where
 * the map evicts so fast that no look ended where it had begun (or where the entry
 * was made without keep_tag() of its key).
 */
static __always_inline long keep_read(void *map, const void *key, __u32 tag, KEEP_VALUE *copy)
{
	const KEEP_VALUE *entry;
	__u32 i;

	for (i = 0; i < KEEP_TRIES; i++) {
		KEEP_PACKET_STEP(LOOK_UP_STRIPED);
		entry = bpf_map_lookup_elem(map, key);
		if (!entry)
			return -ENOENT;
		if (keep_copy(map, key, entry, tag, copy))
			return 0;
	}
	return -EAGAIN;
}

/* With the stripe held: puts what keep_read() gave, and was changed, in the place of
 * the entry; also where the map has evicted that by now.
 */
static __always_inline long keep_replace(void *map, const void *key, const KEEP_VALUE *copy)
{
	KEEP_PACKET_STEP(REPLACE);
	return bpf_map_update_elem(map, key, copy, BPF_ANY);
}

/* Makes an entry. -EEXIST: another packet was first, look up again. -EBUSY: the
 * stripe is not to be had; nothing was made.
 */
static __always_inline long keep_create(void *map, const void *key, __u64 hash,
					const KEEP_VALUE *value)
{
	struct keep_stripe *stripe;
	long err;

	KEEP_PACKET_STEP(TAKE_STRIPE);
	stripe = keep_take(hash);
	if (!stripe)
		return -EBUSY;
	KEEP_PACKET_STEP(CREATE);
	err = bpf_map_update_elem(map, key, value, BPF_NOEXIST);
	keep_drop(stripe);
	return err;
}

/* Deletes an entry, as after a reset. -EBUSY: the stripe is not to be had. */
static __always_inline long keep_delete(void *map, const void *key, __u64 hash)
{
	struct keep_stripe *stripe = keep_take(hash);
	long err;

	if (!stripe)
		return -EBUSY;
	err = bpf_map_delete_elem(map, key);
	keep_drop(stripe);
	return err;
}

#endif
