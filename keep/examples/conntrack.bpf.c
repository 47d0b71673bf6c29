// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A connection tracker at XDP for TCP and UDP over IPv4. The SYN of a TCP connection and
 * the first packet of a UDP flow make an entry; other TCP packets without one are
 * dropped. A packet of a fresh entry writes nothing; one of an entry that has less than
 * half of its lifetime left refreshes it (keep/half-life.h). Nothing here deletes: the
 * collector of the crate does, under the same stripes.
 */
#include "example.h"

struct flow {
	__be32 saddr;
	__be32 daddr;
	__be16 sport;
	__be16 dport;
	__u32 proto;
};

struct ct_value {
	union keep_word word;
	/* Chosen once. A refresh has to leave it as it is. */
	__u32 backend;
	__u32 opened;
};

#define KEEP_VALUE	struct ct_value
#define KEEP_WORD	word
#include <keep/half-life.h>

/* The loader chooses type, flags and size. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct flow);
	__type(value, struct ct_value);
} ct SEC(".maps");

/* A packet of an entry that is due. -ENOENT: the entry is gone by now. */
static __always_inline long refresh(const struct flow *flow, __u64 hash, __u32 now)
{
	struct keep_stripe *stripe = keep_take(hash);
	struct ct_value copy;
	long err;

	if (!stripe)
		return -EBUSY;
	err = keep_read(&ct, flow, keep_tag(hash), &copy);
	if (!err) {
		copy.word.until = keep_later(copy.word.until, now + settings.lifetime);
		err = keep_replace(&ct, flow, &copy);
	}
	keep_drop(stripe);
	return err;
}

static __always_inline long open_flow(const struct flow *flow, __u64 hash, __u32 now)
{
	struct ct_value value = {
		.word = keep_new_word(now + settings.lifetime, keep_tag(hash)),
		/* A balancer chooses by load here. */
		.backend = bpf_ntohs(flow->sport) % settings.backends,
		.opened = now,
	};

	return keep_create(&ct, flow, hash, &value);
}

static __always_inline int track(const struct flow *flow, bool opens)
{
	__u64 hash = keep_hash(flow, sizeof(*flow));
	__u32 now = NOW(), tag = keep_tag(hash), i;
	const struct ct_value *entry;
	long err;

	for (i = 0; i < KEEP_TRIES; i++) {
		entry = bpf_map_lookup_elem(&ct, flow);
		if (!entry && !opens) {
			err = keep_missed(&ct, flow, hash);
			if (!err)
				continue;
			count(err == -EBUSY ? BUSY : MISSED);
			return XDP_DROP;
		}
		if (!entry) {
			err = open_flow(flow, hash, now);
			/* Another packet of this flow was first. */
			if (err == -EEXIST)
				continue;
			count(!err ? OPENED : err == -EBUSY ? BUSY : FAILED);
			/* The sender tries again. */
			return err ? XDP_DROP : XDP_PASS;
		}
		switch (keep_judge(&entry->word, tag, now + settings.lifetime / 2)) {
		case KEEP_FRESH:
			count(FRESH);
			return XDP_PASS;
		case KEEP_OTHER:
			continue;
		case KEEP_DUE:
			break;
		}
		err = refresh(flow, hash, now);
		if (err == -ENOENT)
			continue;
		/* Where it was not refreshed, the next packet does it. */
		count(!err ? REFRESHED : err == -EBUSY ? BUSY : FAILED);
		return XDP_PASS;
	}
	count(FAILED);
	return XDP_DROP;
}

SEC("xdp")
int conntrack(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = (void *)(long)ctx->data;
	struct iphdr *ip = (void *)(eth + 1);
	struct flow flow __attribute__((aligned(8))) = {};
	struct tcphdr *tcp = (void *)(ip + 1);
	struct udphdr *udp = (void *)(ip + 1);
	bool opens = true;

	if ((void *)(ip + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	/* Options and fragments have their ports elsewhere, or nowhere. */
	if (ip->ihl != 5 || ip->frag_off & bpf_htons(0x3fff))
		return XDP_DROP;
	if (ip->protocol == IPPROTO_TCP) {
		if ((void *)(tcp + 1) > end)
			return XDP_DROP;
		opens = tcp->syn && !tcp->ack;
	} else if (ip->protocol == IPPROTO_UDP) {
		if ((void *)(udp + 1) > end)
			return XDP_DROP;
	} else {
		return XDP_PASS;
	}
	flow.saddr = ip->saddr;
	flow.daddr = ip->daddr;
	/* Both begin with the ports. */
	flow.sport = udp->source;
	flow.dport = udp->dest;
	flow.proto = ip->protocol;
	count(PACKETS);
	return track(&flow, opens);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
