/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What works on a whole conntrack map for src/bench/job.rs.
 */
#ifndef JOB_H
#define JOB_H

#include "../conntrack.h"

/* The map of the datapath is put in its place. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct ct4_key);
	__type(value, struct ct_value);
} entries SEC(".maps");

#endif
