/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * As "lock", but under the lock it is also seen whose the element is. From 7.3 on,
 * BPF_F_LOCK has the kernel fill a new element under that very lock, so a tag that
 * is read with it held is the tag of whoever has the element now. Older kernels
 * fill it without the lock: this protocol is not for them. What is dead or another
 * flow's is looked up again.
 *
 * The claim: with a collector that looks at the same and takes back a mark whose
 * delete failed, no refresh is lost and none strays. Never with anybody who stores,
 * updates or deletes without the lock and the mark.
 */
#define LOCKED
#define TAGGED
#define CREATE_FLAGS	KEEP_LOCKED_CREATE
#include "../hash.h"
#include <keep/locked.h>
#include "../datapath.h"

static __always_inline __u32 refresh(void *map, const void *key,
				     struct ct_value *entry, struct packet *p)
{
	enum keep_owner owner;

	gate(PACKET, LOCKED_STORE);
	bpf_spin_lock(&entry->lock);
	owner = keep_owner(&entry->word, p->tag);
	if (owner == KEEP_OURS) {
		settle(entry->lifetime, entry->flags, p);
		entry->lifetime = p->lifetime;
		entry->flags = p->flags;
		entry->packets++;
		entry->bytes += p->bytes;
	}
	bpf_spin_unlock(&entry->lock);
	if (owner == KEEP_OURS)
		return STORED;
	return owner == KEEP_DYING ? DYING : AGAIN;
}
