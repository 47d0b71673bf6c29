// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The example on an LRU map, in which others make so many entries between the look-up of
 * one and its copy that the map evicts it and hands its element on. Theirs have the tag
 * of the packet's flow, as one in 2^31 has: the tag alone does not tell them apart.
 */
#include "clock.h"

static long intrude(__u32 tag);

/* Refreshes that would have published another flow's state. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} foreign SEC(".maps");

static __always_inline void note_foreign(void)
{
	__u32 zero = 0;
	__u64 *count = bpf_map_lookup_elem(&foreign, &zero);

	if (count)
		__sync_fetch_and_add(count, 1);
}

/* The test has each port's flow have a back end of its own. */
#define AT_REPLACE						\
	do {							\
		const struct flow *flow = key;			\
								\
		if (copy->backend != bpf_ntohs(flow->sport))	\
			note_foreign();				\
		AFTER_CHECK(copy->word.tag);			\
	} while (0);
#ifdef EVICTS_AFTER_CHECK
#define AFTER_CHECK(tag)	intrude(tag)
#else
#define AFTER_CHECK(tag)
#define AT_COPY_VALUE	intrude(tag);
#endif
#include "steps.h"

#include "../../../examples/conntrack.bpf.c"

struct intruder {
	__u32 tag;
	__u32 made;
};

static long make_one(__u64 i, void *ctx)
{
	struct intruder *intruder = ctx;
	struct ct_value value = {
		.word = keep_new_word(~0U, intruder->tag),
		.backend = ~0U,
	};
	/* No port of TCP or UDP. */
	struct flow flow = { .saddr = bpf_get_prandom_u32(), .daddr = i };

	bpf_map_update_elem(&ct, &flow, &value, BPF_ANY);
	/* Whoever was looked up is spared, as long as there is somebody who was not. */
	if (bpf_map_lookup_elem(&ct, &flow))
		intruder->made++;
	return 0;
}

static __noinline long intrude(__u32 tag)
{
	struct intruder intruder = { .tag = tag };

	bpf_loop(1024, make_one, &intruder, 0);
	return intruder.made;
}
