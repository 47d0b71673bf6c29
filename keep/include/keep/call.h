/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a loader and the programs of collector.h tell each other. Types and enums
 * alone: the crate `keep` has bindgen make the same of it for Rust.
 */
#ifndef KEEP_CALL_H
#define KEEP_CALL_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

/* Set before loading. The verifier knows these as constants. */
struct keep_config {
	__u32 key_size;
	__u32 field_offset;	/* of the integer that says how old an entry is */
	__u32 field_size;	/* 1, 2, 4 or 8 */
	__u32 field_swapped;	/* not in the order of this machine */
	__u32 field_signed;
	__u32 stripes;		/* in the table */
	__u64 seed;		/* that it was set up with */
};

#define KEEP_MAX_KEY	64

enum keep_fate {
	KEEP_NONE,
	KEEP_DELETED,
	KEEP_KEPT,		/* refreshed since the look, or not asked for by KEEP_AND_EXPIRED */
	KEEP_ABSENT,		/* somebody else removed it */
	KEEP_BUSY,		/* its stripe was not to be had: try again */
	KEEP_ERROR,
};

struct keep_record {
	__u64 key[KEEP_MAX_KEY / 8];	/* from its beginning; the rest is zero */
	__u32 fate;
	__s32 err;
};

struct keep_call {
	__u64 threshold;	/* expired: a field below it */
	__u32 count;		/* records, in for keep_listed, out for keep_walk */
	__u32 full;		/* out: the walk ended early, for want of room */
	__u32 dry;		/* look, and delete nothing */
	__u32 listing;		/* hand keys out, do not only count them */
	__u32 beyond;		/* the threshold lies beyond every field: all have expired */
	__u32 pad;
	/* Out, and counted on. */
	__u64 looked_at;
	__u64 expired;
	__u64 fates[KEEP_ERROR + 1];
	__s64 err;		/* of the last error */
};

#endif
