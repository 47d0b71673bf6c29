// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The example, and beside it two programs for one frame: one notes the word of its
 * entry, the other deletes the entry of which it was noted.
 */
#include "clock.h"
#include "../../../examples/conntrack.bpf.c"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, union keep_word);
} noted SEC(".maps");

static __always_inline bool flow_of(struct xdp_md *ctx, struct flow *flow)
{
	void *end = (void *)(long)ctx->data_end;
	struct iphdr *ip = (void *)(long)ctx->data + sizeof(struct ethhdr);
	struct udphdr *ports = (void *)(ip + 1);

	if ((void *)(ports + 1) > end)
		return false;
	flow->saddr = ip->saddr;
	flow->daddr = ip->daddr;
	flow->sport = ports->source;
	flow->dport = ports->dest;
	flow->proto = ip->protocol;
	return true;
}

SEC("xdp")
int note_word(struct xdp_md *ctx)
{
	struct flow flow __attribute__((aligned(8))) = {};
	const struct ct_value *entry;
	union keep_word *word;
	__u32 zero = 0;

	if (!flow_of(ctx, &flow))
		return XDP_ABORTED;
	entry = bpf_map_lookup_elem(&ct, &flow);
	word = bpf_map_lookup_elem(&noted, &zero);
	if (!entry || !word)
		return XDP_ABORTED;
	word->whole = KEEP_LOAD(entry->word.whole);
	return XDP_PASS;
}

SEC("xdp")
int delete_noted(struct xdp_md *ctx)
{
	struct flow flow __attribute__((aligned(8))) = {};
	union keep_word *word;
	__u32 zero = 0;

	word = bpf_map_lookup_elem(&noted, &zero);
	if (!word || !flow_of(ctx, &flow))
		return XDP_ABORTED;
	switch (keep_delete(&ct, &flow, keep_hash(&flow, sizeof(flow)), *word)) {
	case 0:
		return XDP_PASS;
	case -EAGAIN:
		return XDP_DROP;
	case -EBUSY:
		return XDP_TX;
	default:
		return XDP_ABORTED;
	}
}
