/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Time between two steps, for whoever may come in between to do so. */
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>

static long wait_a_turn(__u64 i, void *ctx)
{
	return 0;
}

static __always_inline void wait(__u32 turns)
{
	bpf_loop(turns, wait_a_turn, NULL, 0);
}
