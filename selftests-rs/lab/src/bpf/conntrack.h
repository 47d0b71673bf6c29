/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every program of the lab has: the contract, the clock, the gates, flows by
 * their number.
 */
#ifndef CONNTRACK_H
#define CONNTRACK_H

#include "contract.h"
#include <linux/errno.h>
#include <linux/in.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define READ_ONCE(x)		(*(volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, v)	(*(volatile typeof(x) *)&(x) = (v))

/* On the stack, words can be read of it: the verifier wants them aligned there. */
#define __key			__attribute__((aligned(8)))

/* --- flows by their number: src/layout.rs has the same -------------------------- */

static __always_inline struct ct4_key key_of(__u32 flow)
{
	struct ct4_key key = {
		.saddr = bpf_htonl(0x0a000001),
		.daddr = bpf_htonl(0x0a000002),
		.sport = flow,
		.dport = bpf_htons(80),
		.proto = IPPROTO_TCP,
		.flags = flow >> 16,
	};

	return key;
}

static __always_inline __u32 backend_of(__u32 flow)
{
	return flow + 1;
}

static __always_inline __be16 nat_port_of(__u32 flow)
{
	return bpf_htons(flow ^ 0x8000);
}

/* --- clock and gates ------------------------------------------------------------ */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct control);
} control SEC(".maps");

static __always_inline struct control *get_control(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&control, &zero);
}

const volatile struct config config = {
	.timeout = 8,
	.closing_timeout = 1,
	.interval = 2000000,
	.seed = SEED,
	.tag_mask = ~DEAD_MARK,
};

/* A bound, not a time: some seconds under emulation. */
#define GATE_ROUNDS	64
#define GATE_SPINS	(1 << 20)

static __always_inline void gate(enum actor actor, enum step step)
{
	struct control *c;
	struct gate *g;
	int i, j;
	__u64 n;

	if (!config.gated)
		return;
	c = get_control();
	if (!c)
		return;
	g = &c->gates[actor];
	n = g->at + 1;
	WRITE_ONCE(g->step, step);
	WRITE_ONCE(g->at, n);
	bpf_for(i, 0, GATE_ROUNDS) {
		bpf_for(j, 0, GATE_SPINS) {
			if (READ_ONCE(g->go) >= n)
				return;
		}
	}
	g->gave_up++;
}

static __always_inline __u32 read_clock(void)
{
	struct control *c = get_control();

	return c ? READ_ONCE(c->now) : 0;
}

#endif
