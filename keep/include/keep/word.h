/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One aligned word of the value: until when the entry lives, and whose it is. One
 * load says both of the same moment.
 */
#ifndef KEEP_WORD_H
#define KEEP_WORD_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

union keep_word {
	struct {
		__u32 until;	/* in a unit that does not come round: seconds do not */
		__u32 tag;	/* keep_tag() of the key, see hash.h */
	};
	__u64 whole;
};

/* Of a new entry. One whose tag was forgotten is KEEP_OTHER to every packet. */
static inline __attribute__((always_inline)) union keep_word keep_new_word(__u32 until, __u32 tag)
{
	union keep_word word;

	word.until = until;
	word.tag = tag;
	return word;
}

/* A packet may come late, with a clock that it read early: it takes nothing from a
 * lifetime. (A FIN may; whether one has come is for the datapath to remember, and to
 * look at again under stripe or lock.)
 */
static inline __attribute__((always_inline)) __u32 keep_later(__u32 there, __u32 until)
{
	return there > until ? there : until;
}

/* Never part of a tag: an entry so marked is about to be deleted, see locked.h. */
#define KEEP_DYING_MARK	0x80000000U

#endif
