/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a datapath is handed up to BURST packets at once: a frame names a lane, in
 * which user space has listed them.
 */
#ifndef BURST_H
#define BURST_H

#include "datapath.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, LANES);
	__type(key, __u32);
	__type(value, struct lane);
} lanes SEC(".maps");

/* The lane that a frame names, and how many packets are in it; NULL: none. */
static __always_inline struct lane *lane_of(struct xdp_md *ctx, __u32 *packets)
{
	void *data_end = (void *)(long)ctx->data_end;
	struct burst *burst = (void *)(long)ctx->data;
	__u32 i;

	if ((void *)(burst + 1) > data_end || burst->proto != bpf_htons(ETH_P_BURST))
		return NULL;
	i = burst->lane;
	*packets = burst->packets;
	return bpf_map_lookup_elem(&lanes, &i);
}

/* Calls @one for each packet of the lane that a frame names; @nobody: it names none. */
static __always_inline int handle_burst(struct xdp_md *ctx, long (*one)(__u64 i, void *ctx),
					int nobody)
{
	__u32 packets = 0;
	struct lane *lane = lane_of(ctx, &packets);

	if (!lane)
		return nobody;
	bpf_loop(packets, one, &lane, 0);
	return XDP_DROP;
}

#endif
