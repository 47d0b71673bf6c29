/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A table of fixed size in an arena: buckets of slots, of each of which one word
 * says everything that is decided on. src/arena/ has the same for Rust.
 *
 *	lifetime (32 bits) | generation (30) | state (2)
 *
 * Whoever changes a slot does so by compare-and-swap on that word. The generation
 * goes up with each claim and each removal, so a swap that succeeds has met the
 * very entry whose key was read before it: it cannot hit a slot that was recycled
 * in between, unless 2^29 lives of the slot have passed.
 */
#ifndef ARENA_H
#define ARENA_H

#include "conntrack.h"

#define __arena __attribute__((address_space(1)))

#define BUCKET_BITS	11	/* the flows of all lanes fit: a test in src/arena/table.rs */
#define SLOTS		8

enum state {
	FREE,			/* nothing in it; the key is what it was */
	BUSY,			/* a creator writes the key */
	LIVE,			/* the key holds, until the lifetime is over and beyond */
};

struct slot {
	__u64 word;
	__u64 key[2];		/* written while BUSY alone */
	__u64 packets;
	__u64 bytes;
	__u64 pad[3];
};

struct bucket {
	/* Held by whoever creates, so that no key is in a bucket twice. Neither
	 * refresh nor removal wants it.
	 */
	__u32 creating;
	__u32 pad[15];
	struct slot slots[SLOTS];
};

_Static_assert(sizeof(struct slot) == 64, "a cache line");
_Static_assert(sizeof(struct bucket) == 64 + 64 * SLOTS, "as src/arena/table.rs");

static __always_inline enum state state_of(__u64 word)
{
	return word & 3;
}

static __always_inline __u32 lifetime_of(__u64 word)
{
	return word >> 32;
}

/* @word's slot claimed, its generation counted up. */
static __always_inline __u64 claimed(__u64 word)
{
	return (__u32)((word & ~3ULL) + 4) | BUSY;
}

/* @word's entry with another lifetime, of the same generation. */
static __always_inline __u64 live(__u64 word, __u32 lifetime)
{
	return (__u64)lifetime << 32 | (__u32)(word & ~3ULL) | LIVE;
}

/* The word, before anything that is read after it. */
static __always_inline __u64 read_word(struct slot __arena *slot)
{
#ifdef __TARGET_ARCH_x86
	/* Loads stay in order here, if the compiler leaves them so. */
	__u64 word = READ_ONCE(slot->word);

	barrier();
	return word;
#else
	return __sync_fetch_and_or(&slot->word, 0);
#endif
}

#endif
