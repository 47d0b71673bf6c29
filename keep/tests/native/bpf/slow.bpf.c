// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The example, slow where others may come in between, and with an eye on what it publishes. */
#include "clock.h"
#include "wait.h"

/* Refreshes that would have published another flow's state. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} foreign SEC(".maps");

static __always_inline void wait_as_told(void)
{
	struct test_clock *told;
	__u32 zero = 0;

	told = bpf_map_lookup_elem(&clock, &zero);
	if (told)
		wait(told->turns);
}

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
		wait_as_told();					\
	} while (0);
#define AT_COPY_VALUE	wait_as_told();
#define AT_JUDGE
#define AT_LOOK_UP_STRIPED
#define AT_LOOK_UP_AGAIN
#define AT_TAKE_STRIPE
#define AT_CREATE
#define KEEP_PACKET_STEP(step)	AT_##step

#include "../../../examples/conntrack.bpf.c"
