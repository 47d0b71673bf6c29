// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A collector with a condition of its own, which counts what it removes. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct tally {
	__u64 removed;
	__u64 keys;	/* the sum of their first words */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tally);
} tally SEC(".maps");

/* Keys are words of 8 bytes here, and values too. The second byte of a value: spared. */
#define KEEP_AND_EXPIRED(key, value, threshold)	(!((const __u8 *)(value))[1])
#define KEEP_REMOVED(asked)			note_removed(asked)

struct keep_asked;
static void note_removed(void *ctx);

#include <keep/collector.h>

static __always_inline void note_removed(void *ctx)
{
	const struct keep_asked *asked = ctx;
	struct tally *sum;
	__u32 zero = 0;

	sum = bpf_map_lookup_elem(&tally, &zero);
	if (!sum)
		return;
	sum->removed++;
	sum->keys += asked->key->words[0];
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
