// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The collector, slow between what it sees and what it does. */
#include "wait.h"

/* Some microseconds. */
#define TURNS	8192

#define AT_TAKE_STRIPE	wait(TURNS);
#define AT_LOOK_UP
#define AT_JUDGE
#define AT_DELETE	wait(TURNS);
#define KEEP_GC_STEP(step)	AT_##step

#include <keep/collector.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";
