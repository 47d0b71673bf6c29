/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Marks by compare-and-swap of the word that was judged: lifetime, tag and mark are
 * one. A refresh in between makes it fail, one after it fails itself. The removal
 * is by whoever has set the mark alone, and a mark whose removal failed is taken
 * back.
 *
 * Every writer has to respect the mark. On a map that evicts, the key may get a new
 * entry between mark and delete.
 */
#ifndef MARKED_H
#define MARKED_H

#define CLASSIC_RCU
#include "../collector.h"

/* What was marked; 0: nothing. */
static __always_inline __u64 cas_mark(struct ct_value *entry, __u32 tag, __u32 now)
{
	union keep_word seen, to;

	gate(GC, READ_WORD);
	seen.whole = READ_ONCE(entry->word.whole);
	/* Another's tag, or this one's with the mark. */
	if (seen.tag != tag || seen.until >= now)
		return 0;
	to.until = seen.until;
	to.tag = seen.tag | DEAD_MARK;
	gate(GC, CAS_MARK);
	if (__sync_val_compare_and_swap(&entry->word.whole, seen.whole, to.whole) != seen.whole)
		return 0;
	return to.whole;
}

static __always_inline void unmark(struct ct_value *entry, __u64 marked)
{
	union keep_word was = { .whole = marked };

	was.tag &= ~DEAD_MARK;
	gate(GC, UNMARK);
	__sync_val_compare_and_swap(&entry->word.whole, marked, was.whole);
}

static __always_inline void delete_marked(struct record *r, const struct key *key,
					  struct ct_value *entry, __u64 marked)
{
	long err;

	gate(GC, DELETE);
	err = bpf_map_delete_elem(&entries, key);
	if (err && err != -ENOENT)
		unmark(entry, marked);
	fate_of(r, err);
}

#endif
