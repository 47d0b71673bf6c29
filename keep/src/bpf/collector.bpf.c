// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The collector, for a field and a clock, with no condition beside. */
#include <keep/collector.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";
