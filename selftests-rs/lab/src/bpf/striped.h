/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A datapath that writes under stripes: every entry is made with its stripe held.
 */
#ifndef STRIPED_H
#define STRIPED_H

#define STRIPED
#define OWN_CREATE
#define CREATE_FLAGS	BPF_NOEXIST	/* somebody else may have been first */
#include "datapath.h"
#include <keep/half-life.h>

static __always_inline struct keep_stripe *packet_stripe(const struct packet *p)
{
	gate(PACKET, TAKE_STRIPE);
	return keep_take(p->hash);
}

#ifndef OWN_HANDLE
/* Not inline: what it takes of the stack and of registers, every packet would pay for. */
static __noinline int create(void *map, const void *key, struct packet *p)
{
	struct ct_value value = {};

	open_value(&value, p);
	return created_or(p, keep_create(map, key, p->hash, &value));
}
#endif

#endif
