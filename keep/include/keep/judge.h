/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Is the entry fresh, is it due, and is it this flow's at all? By one load. */
#ifndef KEEP_JUDGE_H
#define KEEP_JUDGE_H

#include "base.h"

enum keep_is {
	KEEP_FRESH,		/* leave it alone */
	KEEP_DUE,		/* refresh it */
	KEEP_OTHER,		/* another flow's by now: look up again */
};

/* @tag is the key's; an entry that lives until @due or longer is fresh. */
static __always_inline enum keep_is keep_judge(const union keep_word *word, __u32 tag, __u32 due)
{
	union keep_word seen;

	KEEP_PACKET_STEP(JUDGE);
	seen.whole = KEEP_LOAD(word->whole);
	if (__builtin_expect(seen.tag == tag && seen.until >= due, true))
		return KEEP_FRESH;
	return seen.tag == tag ? KEEP_DUE : KEEP_OTHER;
}

#endif
