/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * While more than half of its lifetime is left an entry is not written at all. No
 * store in place ever: packets and bytes have to be counted elsewhere (a per-CPU
 * map), and a lifetime is exact to a half.
 */
#ifndef HALF_H
#define HALF_H

#include "datapath.h"
#include <keep/judge.h>

/* A FIN or a SYN may change what the entry says. Whether it does is seen in the copy:
 * flags that are read beside the word may be another flow's.
 */
static __always_inline enum keep_is judge_half(const struct ct_value *entry,
					       const struct packet *p)
{
	enum keep_is is;

	is = keep_judge(&entry->word, p->tag, p->now + config.timeout / 2 * TICK);
	return is == KEEP_FRESH && (p->kind == OPEN || p->kind == CLOSE) ? KEEP_DUE : is;
}

/* What a discipline does once an entry is due. */
static int refresh_due(void *map, const void *key, struct ct_value *entry, struct packet *p);

static __always_inline __u32 refresh(void *map, const void *key,
				     struct ct_value *entry, struct packet *p)
{
	enum keep_is is = judge_half(entry, p);

	if (is == KEEP_OTHER)
		return AGAIN;
	if (is == KEEP_FRESH)
		return LEFT;
	return refresh_due(map, key, entry, p);
}

#endif
