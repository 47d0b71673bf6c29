/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A keyed hash of a flow's tuple: tags and stripes come from it. Multiply and
 * fold, word by word: as cheap as hashes that are any good get. The seed keeps a
 * stranger from choosing ports whose tags collide; a product would draw it when
 * it starts. It does not keep out who may choose whole IPv6 addresses: top bits of
 * neighbouring words cancel under every seed. That takes siphash.
 * src/layout.rs has the same.
 */
#ifndef HASH_H
#define HASH_H

#include "conntrack.h"

static __always_inline __u64 mix(__u64 hash, __u64 word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 32;
}

/* @key is on the stack, a __key of @size bytes, which is a constant. */
static __always_inline __u64 hash_of(const void *key, __u32 size)
{
	const __u64 *words = __builtin_assume_aligned(key, 8);
	__u64 hash = config.seed, rest = 0;
	__u32 i;

#pragma unroll
	for (i = 0; i < size / 8; i++)
		hash = mix(hash, words[i]);
	__builtin_memcpy(&rest, &words[i], size % 8);
	/* The last round spreads what the last word says to all bits. */
	return mix(mix(hash, rest), size);
}

/* 31 bits of it: the top one is DEAD_MARK. */
static __always_inline __u32 tag_of(__u64 hash)
{
	return (__u32)hash & config.tag_mask & ~DEAD_MARK;
}

/* The word of an entry, taken apart and put together on any endianness. */
union word {
	struct {
		__u32 lifetime;
		__u32 tag;
	};
	__u64 whole;
};

#endif
