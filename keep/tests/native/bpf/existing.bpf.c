// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Evicted between the check of the copy and the update, which replaces what exists alone. */
#define KEEP_REPLACE_FLAGS	BPF_EXIST
#define EVICTS_AFTER_CHECK
#include "evicted.bpf.c"
