/* SPDX-License-Identifier: GPL-2.0-only */
/* A whole new value for each packet: every refresh takes the bucket's lock. */
#include "../datapath.h"

static __always_inline __u32 refresh(void *map, const void *key,
				     struct ct_value *entry, struct packet *p)
{
	return replace(map, key, p);
}
