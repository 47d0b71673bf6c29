// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the datapath's figures are compared with: a packet of a burst for which
 * nothing is done, and one whose entry is looked up and left alone.
 */
#include "../burst.h"

/* Type, flags and size are chosen by whoever loads this. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct ct4_key);
	__type(value, struct ct_value);
} ct4 SEC(".maps");

static long empty_one(__u64 i, void *ctx)
{
	return 0;
}

static long look_up_one(__u64 i, void *ctx)
{
	struct lane *lane = *(struct lane **)ctx;
	struct ct4_key key;
	struct packet *p;

	if (i >= BURST)
		return 1;
	p = &lane->packets[i];
	key = key_of(p->flow);
	p->outcome = bpf_map_lookup_elem(&ct4, &key) ? LEFT : MISSED;
	return 0;
}

SEC("xdp")
int empty(struct xdp_md *ctx)
{
	return handle_burst(ctx, empty_one, XDP_ABORTED);
}

SEC("xdp")
int look_up(struct xdp_md *ctx)
{
	return handle_burst(ctx, look_up_one, XDP_ABORTED);
}

char LICENSE[] SEC("license") = "GPL";
