/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One aligned word has the lifetime, the tag and the collector's mark, and nobody
 * changes it but by compare-and-swap: whoever succeeds has met this flow's live
 * entry. No lock, no update, no grace period. Only the word is protected: what is
 * counted and flagged beside it may be the next owner's by then, so no lifetime
 * hangs on it. A packet after a FIN is one like any other.
 *
 * The claim: safe with a collector that marks in the same way, then deletes. Never
 * on a map that evicts (between mark and delete the key may get a new entry), and
 * never with anybody who stores or updates without looking at the word.
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
	to.until = later(seen.until, p);
	gate(PACKET, CAS_STORE);
	if (__sync_val_compare_and_swap(&entry->word.whole, seen.whole, to.whole) != seen.whole)
		return LOST;
	set_flags(entry, p);
	account(entry, p);
	return STORED;
}
