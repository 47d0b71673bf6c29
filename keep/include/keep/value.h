/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A copy of a value that is this flow's and nobody else's. A map hands the element
 * of an entry that was deleted, replaced or evicted to the next flow at once, and a
 * program that still has a pointer to it would copy the next flow's back end and
 * ports, and publish them as its own.
 *
 * Before it includes this, a program says
 *
 *	#define KEEP_VALUE	struct ct_value
 *	#define KEEP_WORD	word		the member that is a union keep_word
 *
 * and, where the value has a lock, a timer or another thing that no program may
 * copy, its own KEEP_COPY(copy, entry), which loads each member with KEEP_LOAD().
 */
#ifndef KEEP_VALUE_H
#define KEEP_VALUE_H

#include "base.h"

#ifndef KEEP_COPY
static __always_inline void keep_copy_words(KEEP_VALUE *copy, const KEEP_VALUE *entry)
{
	const volatile __u64 *from = (const volatile __u64 *)entry;
	__u64 *to = (__u64 *)copy;
	__u32 i;

	_Static_assert(sizeof(KEEP_VALUE) % 8 == 0, "values in words of 8 bytes");
#pragma unroll
	for (i = 0; i < sizeof(KEEP_VALUE) / 8; i++)
		to[i] = from[i];
}

#define KEEP_COPY	keep_copy_words
#endif

/* Copies @entry, which a look-up by @key has found, and says whether the copy is
 * this flow's: the element still is its entry afterwards, and nobody but this flow's
 * packets puts it back there; and the tag says it of the copy itself. (Not for certain
 * on an LRU map where CPUs reorder stores: see KEEP_REPLACE_FLAGS in half-life.h.)
 *
 * Whoever may create or replace the entry meanwhile, on another CPU, is to be kept
 * out by the caller: by the stripe, or by steering a flow to one CPU.
 */
static __always_inline bool keep_copy(void *map, const void *key, const KEEP_VALUE *entry,
				      __u32 tag, KEEP_VALUE *copy)
{
	KEEP_PACKET_STEP(COPY_VALUE);
	KEEP_COPY(copy, entry);
	keep_fence();
	KEEP_PACKET_STEP(LOOK_UP_AGAIN);
	return bpf_map_lookup_elem(map, key) == entry && copy->KEEP_WORD.tag == tag;
}

#endif
