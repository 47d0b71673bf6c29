/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * While more than half of its lifetime is left an entry is not written at all. No
 * store in place ever: packets and bytes have to be counted elsewhere (a per-CPU
 * map), and a lifetime is exact to a half.
 */
#ifndef HALF_H
#define HALF_H

#include "datapath.h"

/* One load says how long, and whose it is. */
static __always_inline union word judge_half(const struct ct_value *entry)
{
	union word seen;

	gate(PACKET, JUDGE);
	seen.whole = READ_ONCE(entry->word);
	return seen;
}

static __always_inline bool enough_left(union word seen, const struct ct_value *entry,
					const struct packet *p)
{
	if (seen.lifetime < p->now + config.timeout / 2 * TICK)
		return false;
	/* A FIN closes, a SYN opens again what is closing. */
	return p->kind == DATA || p->kind == DATAGRAM ||
	       !(READ_ONCE(entry->flags) & CLOSING) == (p->kind == OPEN);
}

#endif
