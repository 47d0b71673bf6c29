/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tags and stripes come from the hash of a flow's tuple in keep/hash.h, under the
 * lab's seed. src/value.rs has the same.
 */
#ifndef HASH_H
#define HASH_H

#include "conntrack.h"
#include <keep/hash.h>

/* Fewer bits, where two flows are to have one tag. */
static __always_inline __u32 tag_of(__u64 hash)
{
	return keep_tag(hash) & config.tag_mask;
}

#endif
