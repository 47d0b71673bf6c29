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
	__u32 packets = 0;
	struct lane *lane = lane_of(ctx, &packets);

	if (!lane)
		return XDP_ABORTED;
	bpf_loop(packets, empty_one, &lane, 0);
	return XDP_DROP;
}

SEC("xdp")
int look_up(struct xdp_md *ctx)
{
	__u32 packets = 0;
	struct lane *lane = lane_of(ctx, &packets);

	if (!lane)
		return XDP_ABORTED;
	bpf_loop(packets, look_up_one, &lane, 0);
	return XDP_DROP;
}

char LICENSE[] SEC("license") = "GPL";
