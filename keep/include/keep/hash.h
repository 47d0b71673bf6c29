/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A keyed hash of a key: it chooses the stripe, and gives the tag by which an entry
 * is known to be this flow's. Multiply word by word, fold, and multiply once more.
 *
 * The seed is the loader's: a random one, the same in every program that shares the
 * map, in the table of stripes and in the collector. It keeps a stranger from
 * choosing ports whose tags are the same. It does not keep out who may choose whole
 * IPv6 addresses: the top bits of neighbouring words cancel under every seed. Where
 * that matters, define KEEP_OWN_HASH, have keep_hash() and keep_hash_words() of your own
 * (a siphash), and a KEEP_HASH_ID above 255, before the first header is included: in
 * the datapath, and in an object of the collector. The table of stripes is set up with
 * that id, and nobody who hashes otherwise gets a stripe of it.
 */
#ifndef KEEP_HASH_H
#define KEEP_HASH_H

#include "base.h"

#ifndef KEEP_SEED
const volatile __u64 keep_seed;
#define KEEP_SEED	keep_seed
#endif

#ifndef KEEP_OWN_HASH
#define KEEP_HASH_ID	1

#define KEEP_MULTIPLIER	0x9e3779b97f4a7c15ULL

static __always_inline __u64 keep_mix(__u64 hash, __u64 word, __u32 i)
{
	return (i ? hash * KEEP_MULTIPLIER : hash) ^ word;
}

/* After the last word: each bit of it has a say in the upper half. */
static __always_inline __u64 keep_finish(__u64 hash)
{
	return (hash ^ hash >> 32) * KEEP_MULTIPLIER;
}

/* @key is on the stack, aligned to 8 bytes; @size of it is a constant. Only the
 * upper half of what it returns is any good: the functions below use no other.
 */
static __always_inline __u64 keep_hash(const void *key, __u32 size)
{
	const __u64 *words = __builtin_assume_aligned(key, 8);
	__u64 hash = KEEP_SEED, rest = 0;
	__u32 i;

#pragma unroll
	for (i = 0; i < size / 8; i++)
		hash = keep_mix(hash, words[i], i);
	if (size % 8) {
		__builtin_memcpy(&rest, &words[i], size % 8);
		hash = keep_mix(hash, rest, i);
	}
	return keep_finish(hash);
}

/* The same of a key of up to 64 bytes in words, zeros behind it, whose size is no
 * constant to the compiler.
 */
static __always_inline __u64 keep_hash_words(const __u64 *words, __u32 size)
{
	__u64 hash = KEEP_SEED;
	__u32 i;

#pragma unroll
	for (i = 0; i < 8; i++) {
		if (8 * i < size)
			hash = keep_mix(hash, words[i], i);
	}
	return keep_finish(hash);
}

#endif

/* 31 bits. */
static __always_inline __u32 keep_tag(__u64 hash)
{
	return hash >> 33;
}

/* A number below @count. */
static __always_inline __u32 keep_pick(__u64 hash, __u32 count)
{
	return (hash >> 32) * count >> 32;
}

#endif
