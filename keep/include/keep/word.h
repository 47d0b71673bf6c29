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

/* Never part of a tag: an entry so marked is about to be deleted, see locked.h. */
#define KEEP_DYING_MARK	0x80000000U

#endif
