/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Entries that remove themselves: whoever makes one arms its timer, whose callback
 * judges by the same clock as everybody, and deletes the entry or waits again. No
 * collector, no snapshot, no system call.
 *
 * The claim: the kernel's documentation suggests it. Never where packets of the
 * flow run on another CPU than its timer; pinned, it fires where it was set.
 */
#ifndef TIMER_H
#define TIMER_H

#include "datapath.h"

#define CLOCK_MONOTONIC	1

/* What timers have removed, by flow: user space reads that as claims. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fired);
} fired SEC(".maps");

static __always_inline void set_timer(struct ct_value *entry)
{
	bpf_timer_start(&entry->timer, config.interval, config.pinned ? BPF_F_TIMER_CPU_PIN : 0);
}

static __always_inline void note(long err, __u32 flow)
{
	__u32 zero = 0;
	struct fired *all = bpf_map_lookup_elem(&fired, &zero);

	if (!all)
		return;
	if (!err) {
		__sync_fetch_and_add(&all->removed[flow % COUNTED_FLOWS], 1);
	} else if (err != -ENOENT) {
		all->err = err;
		__sync_fetch_and_add(&all->failed, 1);
	}
}

static __always_inline void note_firing(void)
{
	__u32 zero = 0;
	struct fired *all = bpf_map_lookup_elem(&fired, &zero);

	if (all)
		__sync_fetch_and_add(&all->firings, 1);
}

/* The key is copied before anything else: it lies in the element. */
static __always_inline int fire(void *map, const void *key, __u32 flow, struct ct_value *entry)
{
	long err;

	note_firing();
	gate(GC, JUDGE);
	if (READ_ONCE(entry->lifetime) >= read_clock()) {
		set_timer(entry);
		return 0;
	}
	gate(GC, DELETE);
	err = bpf_map_delete_elem(map, key);
	/* Nobody else would come for it. */
	if (err && err != -ENOENT)
		set_timer(entry);
	note(err, flow);
	return 0;
}

static __always_inline void begin_firing(void)
{
	gate(GC, config.pinned ? PIN : FIRE);
	gate(GC, COPY_KEY);
}

static int fire4(void *map, struct ct4_key *key, struct ct_value *entry)
{
	struct ct4_key copy;

	begin_firing();
	__builtin_memcpy(&copy, key, sizeof(copy));
	fire(map, &copy, copy.sport | (__u32)copy.flags << 16, entry);
	return 0;
}

static int fire6(void *map, struct ct6_key *key, struct ct_value *entry)
{
	struct ct6_key copy;

	begin_firing();
	__builtin_memcpy(&copy, key, sizeof(copy));
	fire(map, &copy, copy.sport, entry);
	return 0;
}

/* Of the entry that was just made; 0 also if somebody else has removed it. Since 6.18
 * the kernel allocates a timer without waiting for anybody, "to be expected to fail
 * easily" (mm/page_alloc.c).
 */
static __always_inline long arm(void *map, const void *key, __u32 key_size)
{
	struct ct_value *entry = bpf_map_lookup_elem(map, key);
	long err;

	if (!entry)
		return 0;
	err = bpf_timer_init(&entry->timer, map, CLOCK_MONOTONIC);
	if (err)
		return err == -EBUSY ? 0 : err;	/* it has one already */
	if (key_size == sizeof(struct ct4_key))
		bpf_timer_set_callback(&entry->timer, fire4);
	else
		bpf_timer_set_callback(&entry->timer, fire6);
	set_timer(entry);
	return 0;
}

/* An entry without a timer would stay for ever: it is taken back, and its flow has
 * to open again.
 */
static __always_inline __u32 created(void *map, const void *key, __u32 key_size,
				     struct packet *p)
{
	long err = arm(map, key, key_size);

	if (!err)
		return CREATED;
	bpf_map_delete_elem(map, key);
	return failed(p, err);
}

#endif
