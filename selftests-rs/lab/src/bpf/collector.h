/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A collector in the kernel works on the datapath's map, which user space puts in
 * the place of @entries, and is called with what is in @calls. It is one function,
 *
 *	static void collect(struct record *r, const struct key *key,
 *			    struct call *call);
 *
 * for one record of a snapshot, and comes in two forms: for the record in the call,
 * or for all of @records (array.h). One that walks the map by itself is
 *
 *	static long collect_visited(const struct key *key, struct ct_value *entry,
 *				    struct call *call);
 *
 * and comes in one (walk.h), for keys of IPv4 alone. It ends the walk by 1.
 *
 * One that must not be interrupted defines QUIET. It has the same entries as tc
 * programs too, for kernels in which no program can turn interrupts off: a test run
 * of those is with bottom halves off, which keeps XDP from its CPU as well. So has
 * one that takes a lock in a value, which old kernels do not let a syscall program.
 */
#ifndef COLLECTOR_H
#define COLLECTOR_H

struct bpf_map;

#include "hash.h"
#ifdef QUIET
#include <keep/quiet.h>
#endif

/* Key and value sizes, and all else, are those of the map put in its place. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct ct4_key));
	__type(value, struct ct_value);
} entries SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct records);
} records SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct call);
} calls SEC(".maps");

/* A copy on the stack: what is deleted by it is what was looked at by it. */
struct key {
	__u64 words[KEY_WORDS];
};

static __always_inline struct call *get_call(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&calls, &zero);
}

static __always_inline struct records *get_records(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&records, &zero);
}

static __always_inline struct key key_in(const struct record *r)
{
	struct key key;

	__builtin_memcpy(key.words, r->key, sizeof(key.words));
	return key;
}

static __always_inline __u64 hash_of_key(const struct key *key, const struct call *call)
{
	if (call->key_size == sizeof(struct ct6_key))
		return keep_hash(key, sizeof(struct ct6_key));
	return keep_hash(key, sizeof(struct ct4_key));
}

static __always_inline void fate_of(struct record *r, long err)
{
	r->err = err;
	if (!err) {
		r->fate = REMOVED;
		if (config.stamped)
			r->done = bpf_ktime_get_ns();
	} else if (err == -ENOENT) {
		r->fate = ABSENT;
	} else if (err == -ESTALE || err == -EBUSY || err == -EAGAIN) {
		r->fate = KEPT;	/* the window differs, or a program found it live */
	} else {
		r->fate = ERROR;
	}
}

/* Also an error that reads like a window that differs: -EBUSY, as the first series has it. */
static __always_inline void error(struct record *r, long err)
{
	r->err = err;
	r->fate = ERROR;
}

static __always_inline void kept(struct record *r)
{
	r->fate = KEPT;
}

static __always_inline void gone(struct record *r)
{
	r->fate = ABSENT;
}

/* Judges and deletes what a look-up by @key has found. */
static __always_inline void judge_and_delete(struct record *r, const struct key *key,
					     struct ct_value *entry, const struct call *call)
{
	gate(GC, JUDGE);
	if (READ_ONCE(entry->lifetime) >= call->now)
		return kept(r);
	gate(GC, DELETE);
	fate_of(r, bpf_map_delete_elem(&entries, key));
}

/* An entry of a program, in the form of each type. */
#if defined(QUIET) || defined(LOCKED)
#define ENTRY(name)								\
	SEC("tc") int name##_tc(struct __sk_buff *frame) { return do_##name(); }	\
	SEC("syscall") int name(void *ctx) { return do_##name(); }
#else
#define ENTRY(name)	SEC("syscall") int name(void *ctx) { return do_##name(); }
#endif

#endif
