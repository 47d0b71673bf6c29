// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A datapath as it was before these headers, on the layout of the example: it refreshes by
 * an update of what it has looked up, takes no stripe, and knows of no tag.
 */
#include "clock.h"
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
#include <keep/word.h>

/* As rig.rs has it. */
#define LIFETIME	64

struct flow {
	__be32 saddr;
	__be32 daddr;
	__be16 sport;
	__be16 dport;
	__u32 proto;
};

struct ct_value {
	union keep_word word;
	__u32 backend;
	__u32 opened;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct flow);
	__type(value, struct ct_value);
} ct SEC(".maps");

SEC("xdp")
int yesterday(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct iphdr *ip = (void *)(long)ctx->data + sizeof(struct ethhdr);
	struct tcphdr *tcp = (void *)(ip + 1);
	struct ct_value *entry, value = {};
	struct flow flow = {};
	__u32 now = NOW();

	if ((void *)(tcp + 1) > end)
		return XDP_DROP;
	flow.saddr = ip->saddr;
	flow.daddr = ip->daddr;
	flow.sport = tcp->source;
	flow.dport = tcp->dest;
	flow.proto = ip->protocol;
	entry = bpf_map_lookup_elem(&ct, &flow);
	if (!entry && !tcp->syn)
		return XDP_DROP;
	if (entry) {
		value = *entry;
	} else {
		value.backend = bpf_ntohs(flow.sport);
		value.opened = now;
	}
	value.word.until = now + LIFETIME;
	return bpf_map_update_elem(&ct, &flow, &value, entry ? BPF_EXIST : BPF_ANY) ? XDP_DROP : XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
