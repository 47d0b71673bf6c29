/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * With the key's stripe held and interrupts off: look up, judge, delete. Nobody who
 * takes the stripe comes in between: compare-and-delete, for a lock of one's own.
 */
#ifndef GC_STRIPED_H
#define GC_STRIPED_H

#define QUIET
#define KEEP_REMOVED(ctx)	note_removal(ctx)
#include "../collector.h"

struct judged {
	struct record *record;
	const struct call *call;
};

static __always_inline void note_removal(const struct judged *judged)
{
	if (config.stamped)
		judged->record->done = bpf_ktime_get_ns();
}

#include <keep/collect.h>

static __always_inline bool has_expired(const void *entry, void *ctx)
{
	const struct ct_value *value = entry;
	struct judged *judged = ctx;

	return READ_ONCE(value->lifetime) < judged->call->now;
}

static __always_inline void delete_striped(struct record *r, const struct key *key, __u64 hash,
					   const struct call *call)
{
	struct judged judged = { r, call };
	long err = keep_collect(&entries, key, hash, has_expired, &judged);

	if (!err)
		r->fate = REMOVED;
	else if (err == -EBUSY)
		error(r, err);
	else
		fate_of(r, err);
}

#endif
