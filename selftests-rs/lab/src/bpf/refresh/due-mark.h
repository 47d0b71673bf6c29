/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * As "due", and never an update: a live entry is stored to in place, one that is
 * due gets its lifetime by a compare-and-swap of the whole word, which a mark of
 * the collector's, set in the same way, makes fail. A packet of a live flow pays
 * for a load and a store.
 *
 * The claim: safe with a collector that marks, then deletes, after a grace period.
 * Never on a map that evicts: between mark and delete the key may get a new entry.
 * Never where a lifetime gets shorter, as by a FIN: the grace period counts on it
 * that what was live to one packet is live to the next.
 */
#define TAGGED
#define CREATE_FLAGS	BPF_NOEXIST
#include "../datapath.h"

static __always_inline __u32 refresh(void *map, const void *key,
				     struct ct_value *entry, struct packet *p)
{
	union keep_word to = { { .until = p->lifetime, .tag = p->tag } }, seen;

	gate(PACKET, READ_WORD);
	seen.whole = READ_ONCE(entry->word.whole);
	if (seen.tag & DEAD_MARK)
		return DYING;
	if (seen.tag != p->tag)
		return AGAIN;
	if (seen.until >= p->now)
		return store(entry, p);
	to.until = later(seen.until, p);
	gate(PACKET, CAS_STORE);
	if (__sync_val_compare_and_swap(&entry->word.whole, seen.whole, to.whole) != seen.whole)
		return LOST;
	set_flags(entry, p);
	account(entry, p);
	return STORED;
}
