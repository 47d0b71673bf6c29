/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every program of the lab has: the contract, the clock, the gates, flows by
 * their number.
 */
#ifndef CONNTRACK_H
#define CONNTRACK_H

#include "contract.h"

/* The headers that datapaths include, with the lab's gates in them. */
#define KEEP_SEED		config.seed
#define KEEP_SPINS		(1 << 20)	/* a virtual CPU may be off its core for a while */
#define KEEP_PACKET_STEP(step)	gate(PACKET, step)
#define KEEP_GC_STEP(step)	gate(GC, step)

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

/* A bound, not a time: some seconds under emulation. bpf_loop() takes no more at
 * once, and kernels of today's oldest line have no other loop of that length.
 */
#define GATE_ROUNDS	16
#define GATE_SPINS	(1 << 22)

struct wait {
	__u64 until;
	__u32 actor;
	__u32 over;
};

static long spin_at_gate(__u64 i, void *ctx)
{
	struct wait *wait = ctx;
	struct control *c = get_control();

	if (!c)
		return 1;
	/* The first two of them are held. */
	wait->over = READ_ONCE(c->gates[wait->actor & 1].go) >= wait->until;
	return wait->over;
}

/* Not inline: one copy, however many gates there are. */
static __noinline int wait_at_gate(__u32 actor, __u32 step)
{
	struct control *c = get_control();
	struct wait wait = { .actor = actor };
	struct gate *g;
	int i;

	if (!c)
		return 0;
	g = &c->gates[actor & 1];
	wait.until = g->at + 1;
	WRITE_ONCE(g->step, step);
	WRITE_ONCE(g->at, wait.until);
	for (i = 0; i < GATE_ROUNDS; i++) {
		bpf_loop(GATE_SPINS, spin_at_gate, &wait, 0);
		if (wait.over)
			return 0;
	}
	g->gave_up++;
	return 0;
}

static __always_inline void gate(enum actor actor, enum step step)
{
	if (config.gated)
		wait_at_gate(actor, step);
}

static __always_inline __u32 read_clock(void)
{
	struct control *c = get_control();

	return c ? READ_ONCE(c->now) : 0;
}

#endif
