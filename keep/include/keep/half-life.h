/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Nothing while fresh, else an update under a stripe. While more than half of its
 * lifetime is left an entry is not written at all: a packet of a live flow pays for
 * one load. One that is due is copied and replaced with the stripe of its key held,
 * which the collector (collect.h) holds around look-up, judgement and delete.
 *
 * The claim: no entry is deleted that a packet has refreshed, no entry gets another
 * flow's value, nothing is written to another's entry. On HASH (with or without
 * BPF_F_NO_PREALLOC) and RHASH, and on LRU_HASH where CPUs keep stores in order
 * (x86, s390). Elsewhere, as on arm64, LRU_HASH needs KEEP_REPLACE_FLAGS, see below.
 * From Linux 6.1 on, not on PREEMPT_RT.
 * (What a packet reads of an entry after keep_judge() may be another flow's by then,
 * as with any look-up: who acts on it takes a keep_copy().)
 *
 * Who has to cooperate: everybody who creates, replaces or deletes an entry holds
 * the stripe of its key, in programs. An update or a delete by system call takes no
 * stripe: let the collector do it.
 *
 * A packet that makes no entry asks keep_missed() before it acts on one that it has not
 * found: beside a replace, a look-up can miss what is there all the time.
 *
 * What is given up: a lifetime is exact to its half, and packets and bytes have to
 * be counted elsewhere, since live entries are not written.
 *
 * Proven by the lab's cells `half-life-stripe x prog-stripe`, `prog-stripe-array`
 * and `iter-stripe`, which call these very functions, but for keep_delete(): the
 * tests of this folder have that one.
 *
 *	entry = bpf_map_lookup_elem(&ct, &key);
 *	if (!entry)		(and the packet may open a flow: else keep_missed())
 *		err = keep_create(&ct, &key, hash, &value);
 *	else switch (keep_judge(&entry->word, tag, now + lifetime / 2)) {
 *	case KEEP_FRESH:	break;
 *	case KEEP_OTHER:	look up again: the element is another flow's by now
 *	case KEEP_DUE:
 *		stripe = keep_take(hash);
 *		if (!stripe)
 *			break;		nothing was written: the next packet tries again
 *		err = keep_read(&ct, &key, tag, &copy);
 *		if (!err) {
 *			copy.word.until = keep_later(copy.word.until, now + lifetime);
 *			err = keep_replace(&ct, &key, &copy);
 *		}
 *		keep_drop(stripe);
 *	}
 *
 * A packet that changes what the value says (a FIN, a SYN on what is closing) is due
 * even where the entry is fresh, by what the packet is: what stands beside the word may
 * be another flow's. What it changes it reads from the copy: another CPU may have been
 * first. Where it gets no stripe it is dropped, for no other packet says the same.
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

/* An LRU map hands an element on without a barrier between its unlinking and its new
 * key and value: where CPUs reorder stores, keep_read() can take the next flow's value
 * for this one's. BPF_EXIST keeps that out of the map. It looks under the lock of the
 * bucket: an entry that is there was there all the time that the stripe was held, and
 * so it was when it was copied. Define it as BPF_EXIST before including this, and act
 * on nothing of the copy before keep_replace() has said 0. It costs no more, but what the
 * map evicts under the stripe is gone then (-ENOENT), where BPF_ANY puts it back.
 * keep/weak has both for the C11 memory model.
 */
#ifndef KEEP_REPLACE_FLAGS
#define KEEP_REPLACE_FLAGS	BPF_ANY
#endif

/* With the stripe held: puts what keep_read() gave, and was changed, in the place of
 * the entry; also where the map has evicted that by now, unless KEEP_REPLACE_FLAGS say
 * BPF_EXIST.
 */
static __always_inline long keep_replace(void *map, const void *key, const KEEP_VALUE *copy)
{
	KEEP_PACKET_STEP(REPLACE);
	return bpf_map_update_elem(map, key, copy, KEEP_REPLACE_FLAGS);
}

/* Is there no entry of @key indeed? An update puts the new element before the others of
 * its bucket, and takes the old one out behind: a look-up that stands between them comes
 * to the end without either. With the stripe held nobody replaces it. -ENOENT: there is
 * none. 0: there is, look up again. -EBUSY: the stripe is not to be had.
 */
static __always_inline long keep_missed(void *map, const void *key, __u64 hash)
{
	struct keep_stripe *stripe;
	bool there;

	stripe = keep_take(hash);
	if (!stripe)
		return -EBUSY;
	there = bpf_map_lookup_elem(map, key);
	keep_drop(stripe);
	return there ? 0 : -ENOENT;
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

/* Deletes an entry, as after a reset, if its word is the one that was @seen: between
 * the look and this another packet may have made a new one. (One that was made or
 * replaced within the same tick of the lifetime's unit has the same word. Where that
 * matters, the unit has to be finer.) -EAGAIN: it is another by now. -EBUSY: the stripe
 * is not to be had.
 */
static __always_inline long keep_delete(void *map, const void *key, __u64 hash,
					union keep_word seen)
{
	const KEEP_VALUE *entry;
	struct keep_stripe *stripe;
	long err;

	stripe = keep_take(hash);
	if (!stripe)
		return -EBUSY;
	entry = bpf_map_lookup_elem(map, key);
	if (!entry)
		err = -ENOENT;
	else if (KEEP_LOAD(entry->KEEP_WORD.whole) != seen.whole)
		err = -EAGAIN;
	else
		err = bpf_map_delete_elem(map, key);
	keep_drop(stripe);
	return err;
}

#endif
