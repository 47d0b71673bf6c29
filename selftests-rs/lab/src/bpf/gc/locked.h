/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Under the lock in the value: is the entry still this key's, has it expired, has
 * nobody else marked it? Then it is marked, and refreshes keep off. The removal
 * follows with the lock dropped, since no helper may be called with it held, and by
 * whoever has set the mark alone: any other would take what came after it. A mark
 * whose removal failed is taken back, or the flow would be dead for good.
 *
 * Every writer has to respect the mark, and every deleter to set it.
 */
#ifndef LOCKED_H
#define LOCKED_H

#define LOCKED
#define CLASSIC_RCU
#include "../collector.h"
#include <keep/locked.h>

static __always_inline void delete_marked(struct record *r, const struct key *key,
					  struct ct_value *entry, __u32 tag)
{
	long err;

	gate(GC, DELETE);
	err = bpf_map_delete_elem(&entries, key);
	if (err && err != -ENOENT)
		keep_unmark(&entry->lock, &entry->word, tag);
	fate_of(r, err);
}

#endif
