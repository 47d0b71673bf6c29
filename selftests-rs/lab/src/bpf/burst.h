/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a datapath is handed up to BURST packets at once: a frame names a lane, in
 * which user space has listed them.
 */
#ifndef BURST_H
#define BURST_H

#include <linux/if_ether.h>

#include "datapath.h"

#define ETH_P_BURST	0x88b5	/* for local experiments */
#define BURST		64	/* as many as NAPI hands over in one poll */
#define LANES		8

struct burst {
	struct ethhdr eth;
	__u16 lane;
	__u16 packets;
} __attribute__((packed));

struct lane {
	struct packet packets[BURST];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, LANES);
	__type(key, __u32);
	__type(value, struct lane);
} lanes SEC(".maps");

#endif
