/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A whole collector: the programs that the crate `keep` loads and calls, or another
 * loader does. They work on any map whose writers hold the stripe of a key, which
 * the loader puts in the place of @entries, with its table of stripes in the place
 * of @keep_stripes. src/bpf/collector.bpf.c is this and a licence.
 *
 * For a condition of your own beside the field, compile an object that defines it
 * first. It is asked twice: of what the walk comes by, to spare it, and with the
 * stripe held, of the value as it is then, which decides.
 *
 *	#include "conntrack.h"
 *	#define KEEP_AND_EXPIRED(key, value, threshold) \
 *		(!(((const struct ct_value *)(value))->flags & STATIC))
 *	#include <keep/collector.h>
 *	char LICENSE[] SEC("license") = "Dual BSD/GPL";
 */
#ifndef KEEP_COLLECTOR_H
#define KEEP_COLLECTOR_H

#ifdef KEEP_HASH_H
#error "keep/collector.h has a seed and a count of its own: include it without hash.h, stripes.h and the like before it"
#endif
/* The loader gives the table, wherever it is pinned. */
#undef KEEP_PIN_STRIPES

#include "base.h"
#include "call.h"

struct bpf_map;

/* In a section of its own, which the loader fills in whole. */
const volatile struct keep_config keep_config SEC(".rodata.keep");

#define KEEP_SEED		keep_config.seed
#define KEEP_STRIPE_COUNT	keep_config.stripes

/* Interrupts are off meanwhile, and the next round tries again: less than a packet. */
#ifndef KEEP_SPINS
#define KEEP_SPINS	(1 << 10)
#endif

#include "collect.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, 8);
	__uint(value_size, 8);
} entries SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct keep_record);
} keep_records SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct keep_call);
} keep_calls SEC(".maps");

static __always_inline struct keep_call *keep_get_call(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&keep_calls, &zero);
}

/* The field as a number that compares as it should: what is signed is moved up. */
static __always_inline __u64 keep_field(const void *value)
{
	const void *at = value + keep_config.field_offset;
	__u64 number = 0;

	switch (keep_config.field_size) {
	case 1:
		number = *(const volatile __u8 *)at;
		break;
	case 2:
		number = *(const volatile __u16 *)at;
		if (keep_config.field_swapped)
			number = __builtin_bswap16(number);
		if (keep_config.field_signed)
			number = (__s64)(__s16)number;
		break;
	case 4:
		number = *(const volatile __u32 *)at;
		if (keep_config.field_swapped)
			number = __builtin_bswap32(number);
		if (keep_config.field_signed)
			number = (__s64)(__s32)number;
		break;
	case 8:
		number = *(const volatile __u64 *)at;
		if (keep_config.field_swapped)
			number = __builtin_bswap64(number);
		break;
	}
	if (keep_config.field_size == 1 && keep_config.field_signed)
		number = (__s64)(__s8)number;
	return keep_config.field_signed ? number ^ 1ULL << 63 : number;
}

static __always_inline bool keep_below(const void *value, __u64 threshold, __u32 beyond)
{
	return beyond || keep_field(value) < threshold;
}

#ifndef KEEP_AND_EXPIRED
#define KEEP_AND_EXPIRED(key, value, threshold)	true
#endif

/* A copy on the stack: what is deleted by it is what was looked at by it. */
struct keep_key {
	__u64 words[KEEP_MAX_KEY / 8];
};

/* What KEEP_REMOVED is told of. */
struct keep_asked {
	const struct keep_key *key;
	const struct keep_call *call;
};

/* As it was given: keep_field() moves what is signed up. */
static __always_inline __u64 keep_threshold(__u64 threshold)
{
	return keep_config.field_signed ? threshold ^ 1ULL << 63 : threshold;
}

static __always_inline bool keep_expired(const void *value, void *ctx)
{
	const struct keep_asked *asked = ctx;
	__u64 threshold = asked->call->threshold;

	return keep_below(value, threshold, asked->call->beyond) &&
	       KEEP_AND_EXPIRED(asked->key, value, keep_threshold(threshold));
}

/* The visited key lies in the element, which may be another flow's at any time. */
static __always_inline void keep_copy_key(struct keep_key *key, const void *visited)
{
	__u32 size = keep_config.key_size, at, i;
	void *to = key;

	__builtin_memset(key, 0, sizeof(*key));
#pragma unroll
	for (i = 0; i < KEEP_MAX_KEY / 8; i++) {
		if (8 * i + 8 <= size)
			key->words[i] = *(const volatile __u64 *)(visited + 8 * i);
	}
	at = size & ~7U;
	if (size & 4) {
		*(__u32 *)(to + at) = *(const volatile __u32 *)(visited + at);
		at += 4;
	}
	if (size & 2) {
		*(__u16 *)(to + at) = *(const volatile __u16 *)(visited + at);
		at += 2;
	}
	if (size & 1)
		*(__u8 *)(to + at) = *(const volatile __u8 *)(visited + at);
}

static __always_inline void keep_count(struct keep_call *call, struct keep_record *record,
				       long err)
{
	enum keep_fate fate = KEEP_ERROR;

	if (!err)
		fate = KEEP_DELETED;
	else if (err == -EAGAIN)
		fate = KEEP_KEPT;
	else if (err == -ENOENT)
		fate = KEEP_ABSENT;
	else if (err == -EBUSY)
		fate = KEEP_BUSY;
	else
		call->err = err;
	call->fates[fate]++;
	if (record) {
		record->fate = fate;
		record->err = err;
	}
}

static __always_inline long keep_one(struct keep_asked *asked)
{
	__u64 hash = keep_hash_words(asked->key->words, keep_config.key_size);

	return keep_collect(&entries, asked->key, hash, keep_expired, asked);
}

/* --- the walk: what has expired is looked up again under its stripe ----------------- */

/* On the stack: most entries are live, and cost no more than a look at it. */
struct keep_look {
	__u64 threshold;
	__u64 looked_at;
	__u64 beyond;
};

/* Has expired, as far as can be seen without the stripe. True: end the walk. */
static __always_inline bool keep_visit_expired(const void *visited, const void *value)
{
	struct keep_call *call = keep_get_call();
	struct keep_record *record = NULL;
	struct keep_asked asked;
	struct keep_key key;
	__u32 next;

	if (!call)
		return true;
	keep_copy_key(&key, visited);
	asked.key = &key;
	asked.call = call;
	if (!KEEP_AND_EXPIRED(asked.key, value, keep_threshold(call->threshold)))
		return false;
	if (call->listing) {
		next = call->count;
		record = bpf_map_lookup_elem(&keep_records, &next);
		/* No removal goes untold. */
		if (!record) {
			call->full = 1;
			return true;
		}
		call->count = next + 1;
		__builtin_memcpy(record->key, key.words, sizeof(record->key));
		record->fate = KEEP_NONE;
	}
	call->expired++;
	if (!call->dry)
		keep_count(call, record, keep_one(&asked));
	return false;
}

static long keep_visit(struct bpf_map *map, const void *visited, void *value, void *ctx)
{
	struct keep_look *look = ctx;

	if (keep_below(value, look->threshold, look->beyond) &&
	    keep_visit_expired(visited, value))
		return 1;
	look->looked_at++;
	return 0;
}

static __always_inline int keep_do_walk(void)
{
	struct keep_call *call = keep_get_call();
	struct keep_look look = {};

	if (!call)
		return 1;
	call->count = 0;
	call->full = 0;
	look.threshold = call->threshold;
	look.beyond = call->beyond;
	bpf_for_each_map_elem(&entries, keep_visit, &look, 0);
	call->looked_at += look.looked_at;
	return 0;
}

/* --- what user space lists ------------------------------------------------------------ */

static long keep_list_one(__u64 i, void *ctx)
{
	struct keep_call *call = keep_get_call();
	struct keep_record *record;
	struct keep_asked asked;
	struct keep_key key;
	__u32 at = i;

	record = bpf_map_lookup_elem(&keep_records, &at);
	if (!call || !record)
		return 1;
	keep_copy_key(&key, record->key);
	asked.key = &key;
	asked.call = call;
	keep_count(call, record, keep_one(&asked));
	return 0;
}

static __always_inline int keep_do_listed(void)
{
	struct keep_call *call = keep_get_call();
	__u32 count;

	if (!call)
		return 1;
	count = call->count;
	return bpf_loop(count, keep_list_one, NULL, 0) == count ? 0 : 1;
}

/* As tc programs too, for kernels where no program can turn interrupts off. */
SEC("syscall")
int keep_walk(void *ctx)
{
	return keep_do_walk();
}

SEC("tc")
int keep_walk_tc(struct __sk_buff *frame)
{
	return keep_do_walk();
}

SEC("syscall")
int keep_listed(void *ctx)
{
	return keep_do_listed();
}

SEC("tc")
int keep_listed_tc(struct __sk_buff *frame)
{
	return keep_do_listed();
}

#endif
