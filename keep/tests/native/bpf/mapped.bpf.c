// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The example with Cilium's layout as it is, but for the clock. */
#include "clock.h"
#include "../../../examples/cilium.bpf.c"
