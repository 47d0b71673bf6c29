// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Evicted between the check of the copy and the update, which puts back what is gone. */
#define EVICTS_AFTER_CHECK
#include "evicted.bpf.c"
