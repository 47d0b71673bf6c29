// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The control, which has to lose entries: the example, with stripes that keep nobody out. */
#define __sync_val_compare_and_swap(at, old, new)	((void)(at), 0)
#define __sync_lock_test_and_set(at, value)		((void)(at))
#include "slow.bpf.c"
