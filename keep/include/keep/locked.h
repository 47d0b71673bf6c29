/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A lock in the value, under which it is also seen whose the element is and whether
 * a collector is about to delete it. Stores in place, exact lifetimes and counters.
 *
 * The claim: no entry is deleted that a packet has refreshed, no flow gets another's
 * value, nothing is written to another's entry. On HASH (with or without
 * BPF_F_NO_PREALLOC) and RHASH, from Linux 7.3 on: older kernels fill a new element
 * without its lock, whatever BPF_F_LOCK says. Never on LRU maps: between mark and
 * delete the key may get a new entry.
 *
 * Who has to cooperate: every writer locks and looks at the word; every deleter
 * marks first; an entry is made with KEEP_LOCKED_CREATE alone.
 *
 * Proven by the lab's cells `lock-tagged x prog-lock`, `prog-lock-array` and
 * `iter-lock`, which include this very file.
 *
 *	bpf_spin_lock(&entry->lock);
 *	owner = keep_owner(&entry->word, tag);
 *	if (owner == KEEP_OURS) {
 *		entry->word.until = keep_later(entry->word.until, now + lifetime);
 *		entry->packets++;
 *	}
 *	bpf_spin_unlock(&entry->lock);
 *
 * KEEP_ANOTHERS: look up again. KEEP_DYING: it had expired and is being deleted; the
 * flow is one that has no entry, and gets one when the delete is done.
 */
#ifndef KEEP_LOCKED_H
#define KEEP_LOCKED_H

#include "hash.h"

/* Flags of the update that makes an entry. */
#define KEEP_LOCKED_CREATE	(BPF_NOEXIST | BPF_F_LOCK)

enum keep_owner {
	KEEP_OURS,
	KEEP_ANOTHERS,
	KEEP_DYING,
};

/* With the lock held. A mark on another's entry is no concern of this flow. */
static __always_inline enum keep_owner keep_owner(const union keep_word *word, __u32 tag)
{
	if (word->tag == tag)
		return KEEP_OURS;
	return word->tag == (tag | KEEP_DYING_MARK) ? KEEP_DYING : KEEP_ANOTHERS;
}

/* The collector's: marks the entry if it is this key's, has expired and has no mark.
 * Whoever has set a mark, and nobody else, deletes by key afterwards.
 */
static __always_inline bool keep_mark(struct bpf_spin_lock *lock, union keep_word *word,
				      __u32 tag, __u32 now)
{
	bool mark;

	KEEP_GC_STEP(LOCKED_MARK);
	bpf_spin_lock(lock);
	mark = word->tag == tag && word->until < now;
	if (mark)
		word->tag = tag | KEEP_DYING_MARK;
	bpf_spin_unlock(lock);
	return mark;
}

/* Takes a mark back whose delete has failed, or the flow would be dead for good. */
static __always_inline void keep_unmark(struct bpf_spin_lock *lock, union keep_word *word,
					__u32 tag)
{
	KEEP_GC_STEP(UNMARK);
	bpf_spin_lock(lock);
	if (word->tag == (tag | KEEP_DYING_MARK))
		word->tag = tag;
	bpf_spin_unlock(lock);
}

#endif
