/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A clock that the test sets, in the place of the machine's: expiry needs no waiting. */
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>

struct test_clock {
	__u32 now;
	__u32 step;	/* that each packet moves it on by */
	__u32 turns;	/* that the slow datapath waits */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct test_clock);
} clock SEC(".maps");

static __always_inline __u32 test_now(void)
{
	struct test_clock *clock_now;
	__u32 zero = 0;

	clock_now = bpf_map_lookup_elem(&clock, &zero);
	return clock_now ? __sync_fetch_and_add(&clock_now->now, clock_now->step) : 0;
}

#define NOW()	test_now()
