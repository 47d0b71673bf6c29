/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * As "replace", but what was copied is only written if the entry holds it still, in
 * one step under the bucket's lock. The window is all that the new value is made of.
 * So it makes no difference whether the copy was torn, or another flow's, or whether
 * the entry was gone and has come back: if the bytes are equal, then this flow's own
 * value is replaced by the one that follows from it. A lifetime alone would not do,
 * since another value may have the same; nor a lifetime and a tag, since a value with
 * both may have been put back with another state.
 *
 * The claim: no flow gets another's state, and no packet's counts are lost, on every
 * map that can compare and on whichever CPU the packets run; safe with a collector
 * that compares. Neither a tag nor a second look-up is needed. Never with a delete by
 * key, nor with writers that store in place: a store may come after the comparison.
 */
#define CREATE_FLAGS	BPF_NOEXIST
#include "../datapath.h"

extern int bpf_map_compare_and_update_elem(void *map, void *key, void *value, void *expected,
					   __u64 window) __ksym;

/* From the first member to the last that read_value() copies: size, offset 0. */
#define COPIED	(__builtin_offsetof(struct ct_value, word) + sizeof(union keep_word))

static __always_inline __u32 refresh(void *map, const void *key,
				     struct ct_value *entry, struct packet *p)
{
	struct ct_value seen = {}, next;
	long err;

	copy_value(&seen, entry);
	next = seen;
	/* Whosever it is: what is another flow's is not written. */
	settle(seen.lifetime, seen.flags, p);
	renew(&next, p);
	gate(PACKET, COMPARE);
	err = bpf_map_compare_and_update_elem(map, (void *)key, &next, &seen, COPIED);
	if (!err)
		return REPLACED;
	/* What was settled followed from what is no more. */
	ask(p);
	return err == -ESTALE || err == -ENOENT ? AGAIN : failed(p, err);
}
