/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two maps that take turns. A hit in the current one writes nothing; a hit in the
 * previous one is copied over. User space makes the current map the previous one
 * when a period has passed, and nothing is ever deleted: what was not seen for a
 * whole period goes with its map.
 *
 * The claim: no collector to race with. Never where a lifetime has to be exact, or
 * memory for two maps is too much; never with anybody who writes to one of the
 * maps by an fd of its own.
 */
#define OWN_HANDLE
#define GENERATIONS
#include "../datapath.h"

/* 0: current, 1: previous. User space has made both. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u32);
} generations SEC(".maps");

static __always_inline void *generation(__u32 slot)
{
	return bpf_map_lookup_elem(&generations, &slot);
}

/* Whatever is in the current map is there for a period from now on: that is the
 * lifetime which the oracle has to hear of, not the one that was written.
 */
static __always_inline __u32 hit(void *map, const void *key, struct ct_value *entry,
				 struct packet *p)
{
	found(map, key, entry, p);
	if (p->seen)
		p->seen = p->lifetime - p->lifetime % TICK + p->seen % TICK;
	return STORED;
}

static __always_inline __u32 copy_over(void *current, const void *key,
				       struct ct_value *copy, struct packet *p)
{
	long err;

	copy->lifetime = p->lifetime;
	gate(PACKET, COPY_OVER);
	err = bpf_map_update_elem(current, key, copy, BPF_NOEXIST);
	/* Somebody else's packet of this flow has done it. */
	return !err ? REPLACED : err == -EEXIST ? STORED : failed(p, err);
}

static __always_inline __u32 create_current(void *current, const void *key, struct packet *p)
{
	struct ct_value value = {};
	long err;

	open_value(&value, p);
	gate(PACKET, CREATE_CURRENT);
	err = bpf_map_update_elem(current, key, &value, BPF_NOEXIST);
	return !err ? CREATED : err == -EEXIST ? STORED : failed(p, err);
}

static __always_inline __u32 handle(void *map, const void *key, struct packet *p)
{
	struct ct_value copy = {};
	void *current, *previous;
	struct ct_value *entry;

	gate(PACKET, READ_CURRENT);
	current = generation(0);
	if (!current)
		return failed(p, -ENOENT);
	gate(PACKET, LOOK_UP_CURRENT);
	entry = bpf_map_lookup_elem(current, key);
	if (entry)
		return hit(current, key, entry, p);
	gate(PACKET, READ_PREVIOUS);
	previous = generation(1);
	if (!previous)
		return failed(p, -ENOENT);
	gate(PACKET, LOOK_UP_PREVIOUS);
	entry = bpf_map_lookup_elem(previous, key);
	if (entry) {
		hit(previous, key, entry, p);
		read_value(&copy, entry);
		/* An LRU map may have evicted it meanwhile: then it was another's. */
		keep_fence();
		if (bpf_map_lookup_elem(previous, key) == entry)
			return copy_over(current, key, &copy, p);
	}
	return may_open(p) ? create_current(current, key, p) : MISSED;
}
