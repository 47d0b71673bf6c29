// SPDX-License-Identifier: GPL-2.0-only
/*
 * The workload on a table in an arena, which user space collects in without a
 * system call. The packets are those of conntrack.bpf.c, in bursts alone.
 */
#include "arena.h"
#include "burst.h"

/* A lost swap means that somebody else got on: several in a row are rare. */
#undef TRIES
#define TRIES		64
/* A bound, not a time: the holder's virtual CPU may be off its core for a while. */
#define LOCK_SPINS	(1 << 20)

/* Made, sized and mapped by whoever loads this. */
struct {
	__uint(type, BPF_MAP_TYPE_ARENA);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
} slots SEC(".maps");

/* The kernel's, of which the verifier lets this be read. */
struct bpf_arena {
	__u64 user_vm_start;
} __attribute__((preserve_access_index));

/* A key in words, the rest of them zero. */
struct name {
	__u64 words[2];
};

static __always_inline struct bucket __arena *bucket_of(const struct name *name)
{
	struct bpf_arena *arena = (struct bpf_arena *)&slots;
	struct bucket __arena *table = (struct bucket __arena *)arena->user_vm_start;
	__u64 hash = name->words[0] ^ name->words[1] * 0x9e3779b97f4a7c15ULL;

	hash = (hash ^ hash >> 32) * 0xd6e8feb86659fd93ULL;
	return &table[hash >> (64 - BUCKET_BITS)];
}

/* The word of the slot with that name, and which slot it is; 0: there is none. */
static __always_inline __u64 find(struct bucket __arena *bucket,
				  const struct name *name, __u32 *at)
{
	struct slot __arena *slot;
	__u64 word;
	__u32 i;

	for (i = 0; i < SLOTS; i++) {
		slot = &bucket->slots[i];
		word = read_word(slot);
		if (state_of(word) != LIVE)
			continue;
		if (READ_ONCE(slot->key[0]) == name->words[0] &&
		    READ_ONCE(slot->key[1]) == name->words[1]) {
			*at = i;
			return word;
		}
	}
	return 0;
}

/* Refreshes the entry, expired or not, as long as it is there. */
static __always_inline __u32 refresh(struct bucket __arena *bucket,
				     const struct name *name, struct packet *p)
{
	struct slot __arena *slot;
	__u32 i, at = 0;
	__u64 word;

	bpf_for(i, 0, TRIES) {
		word = find(bucket, name, &at);
		if (!word)
			return MISSED;
		slot = &bucket->slots[at % SLOTS];
		/* Another CPU may have been here with a later clock. */
		if (p->kind != CLOSE && lifetime_of(word) > p->lifetime)
			p->lifetime = lifetime_of(word);
		/* The word as it was read before the key: nobody has removed
		 * the entry, or put another in its place, if this succeeds.
		 */
		if (__sync_val_compare_and_swap(&slot->word, word,
						live(word, p->lifetime)) != word)
			continue;
		p->seen = lifetime_of(word);
		p->seen_backend = backend_of(p->flow);	/* the word is all of its state */
		__sync_fetch_and_add(&slot->packets, 1);
		__sync_fetch_and_add(&slot->bytes, p->bytes);
		return STORED;
	}
	return failed(p, -EAGAIN);
}

/* Fills a free slot. Only under the bucket's lock. */
static __always_inline __u32 claim(struct bucket __arena *bucket,
				   const struct name *name, struct packet *p)
{
	struct slot __arena *slot;
	__u64 word;
	__u32 i;

	for (i = 0; i < SLOTS; i++) {
		slot = &bucket->slots[i];
		word = read_word(slot);
		if (state_of(word) != FREE)
			continue;
		if (__sync_val_compare_and_swap(&slot->word, word, claimed(word)) != word)
			continue;
		WRITE_ONCE(slot->key[0], name->words[0]);
		WRITE_ONCE(slot->key[1], name->words[1]);
		WRITE_ONCE(slot->packets, 1);
		WRITE_ONCE(slot->bytes, p->bytes);
		/* The exchange is a full barrier: the key is there before the word. */
		__sync_lock_test_and_set(&slot->word,
					 live(claimed(word), p->lifetime));
		return CREATED;
	}
	return failed(p, -ENOSPC);
}

static __always_inline bool begin_creating(struct bucket __arena *bucket)
{
	__u32 i;

	bpf_for(i, 0, LOCK_SPINS) {
		if (!__sync_val_compare_and_swap(&bucket->creating, 0, 1))
			return true;
	}
	return false;
}

static __always_inline __u32 open_flow(struct bucket __arena *bucket,
				       const struct name *name, struct packet *p)
{
	__u32 outcome;

	if (!begin_creating(bucket))
		return failed(p, -EBUSY);
	/* Somebody else may have been faster. */
	outcome = refresh(bucket, name, p);
	if (outcome == MISSED)
		outcome = claim(bucket, name, p);
	__sync_lock_test_and_set(&bucket->creating, 0);
	return outcome;
}

static __always_inline __u32 track(const struct ct4_key *key, struct packet *p)
{
	struct bucket __arena *bucket;
	struct name name = {};
	__u32 outcome;

	__builtin_memcpy(&name, key, sizeof(*key));
	bucket = bucket_of(&name);
	p->now = read_clock();
	p->err = 0;
	p->seen = 0;
	p->seen_backend = 0;
	p->lifetime = p->now + config.timeout * TICK + p->flow % TICK;
	outcome = refresh(bucket, &name, p);
	if (outcome == MISSED && p->kind == OPEN)
		outcome = open_flow(bucket, &name, p);
	return outcome;
}

static long one_of_burst(__u64 i, void *ctx)
{
	struct lane *lane = *(struct lane **)ctx;
	struct ct4_key key;
	struct packet *p;

	if (i >= BURST)
		return 1;
	p = &lane->packets[i];
	key = key_of(p->flow);
	p->outcome = track(&key, p);
	return 0;
}

SEC("xdp")
int xdp_conntrack(struct xdp_md *ctx)
{
	return handle_burst(ctx, one_of_burst, XDP_PASS);
}

char LICENSE[] SEC("license") = "GPL";
