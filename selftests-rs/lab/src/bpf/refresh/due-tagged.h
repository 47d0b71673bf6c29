/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * As "due", with a tag beside the lifetime: one load says how long, and whose it
 * is. An element that was handed on to another flow since the look-up shows that
 * one's tag: it is not stored to, and no copy of it is written.
 *
 * The claim: safe with a collector that compares, after a grace period. Never with
 * an agent that writes entries without tags.
 */
#define TAGGED
#include "../datapath.h"

static __always_inline __u32 refresh(void *map, const void *key,
				     struct ct_value *entry, struct packet *p)
{
	struct ct_value copy = {};
	union keep_word seen;

	gate(PACKET, JUDGE);
	seen.whole = READ_ONCE(entry->word.whole);
	if (seen.tag != p->tag)
		return AGAIN;
	if (seen.until >= p->now)
		return store(entry, p);
	if (!keep_copy(map, key, entry, p->tag, &copy))
		return AGAIN;
	return replace(map, key, &copy, p);
}
