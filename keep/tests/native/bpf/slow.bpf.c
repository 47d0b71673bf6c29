// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The example, slow where others may come in between. */
#include "clock.h"
#include "wait.h"

static __always_inline void wait_as_told(void)
{
	struct test_clock *told;
	__u32 zero = 0;

	told = bpf_map_lookup_elem(&clock, &zero);
	if (told)
		wait(told->turns);
}

#define AT_REPLACE	wait_as_told();
#define AT_COPY_VALUE	wait_as_told();
#include "steps.h"

#include "../../../examples/conntrack.bpf.c"
