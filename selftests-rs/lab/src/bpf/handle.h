/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How most disciplines come to an entry: look up, refresh what is there, and look
 * up again, some times at most, if it was not what it seemed.
 */
#ifndef HANDLE_H
#define HANDLE_H

#include "datapath.h"

static __always_inline __u32 handle(void *map, const void *key, struct packet *p)
{
	struct ct_value *entry = NULL;
	__u32 outcome = AGAIN, i;

	for (i = 0; i < TRIES; i++) {
		if (outcome != LOST) {
			gate(PACKET, LOOK_UP);
			entry = bpf_map_lookup_elem(map, key);
			if (entry)
				found(map, key, entry, p);
		}
		if (entry)
			outcome = refresh(map, key, entry, p);
		else if (may_open(p))
			outcome = create(map, key, p);
		else
			return MISSED;
		if (outcome < AGAIN)
			return outcome;
	}
	return give_up(outcome, p);
}

#endif
