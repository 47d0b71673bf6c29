/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Between two steps some microseconds, for whoever may come in between to do so. */
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>

#define TURNS	256

static long wait_a_turn(__u64 i, void *ctx)
{
	return 0;
}

static __always_inline void wait(void)
{
	bpf_loop(TURNS, wait_a_turn, NULL, 0);
}
