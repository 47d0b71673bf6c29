/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * As "replace", but what was copied is only written if the element was still this
 * flow's when it had been copied, by a second look-up and by its tag.
 *
 * The claim: no flow gets another's state, whatever is removed in between. Never
 * with writers that store in place: a copy is older than they are.
 */
#define TAGGED
#include "../datapath.h"

static __always_inline __u32 refresh(void *map, const void *key,
				     struct ct_value *entry, struct packet *p)
{
	struct ct_value copy = {};

	if (!keep_copy(map, key, entry, p->tag, &copy))
		return AGAIN;
	return replace(map, key, &copy, p);
}
