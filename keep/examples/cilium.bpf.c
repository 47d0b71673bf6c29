// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A connection tracker with Cilium's layout: tuples of 14 and 38 bytes, entries of 56
 * with the lifetime at 32 and the tag behind it, and beside each map of connections one
 * of NAT mappings with the same keys. Entry and mapping are made and refreshed under one
 * stripe, which is that of their key. So both expire with the same tick, and a mapping
 * can be deleted after its entry by the same rule: under its stripe, if it has expired.
 */
#include "example.h"

struct tuple4 {
	__be32 daddr;
	__be32 saddr;
	__be16 dport;
	__be16 sport;
	__u8 nexthdr;
	__u8 flags;
} __attribute__((packed));

struct tuple6 {
	struct in6_addr daddr;
	struct in6_addr saddr;
	__be16 dport;
	__be16 sport;
	__u8 nexthdr;
	__u8 flags;
} __attribute__((packed));

struct ct_entry {
	__u64 reserved;
	__u64 backend_id;
	__u64 packets;		/* of live entries nothing is written: 0 */
	__u64 bytes;
	union keep_word word;	/* lifetime and tag */
	__u16 flags;
	__u16 rev_nat_index;
	__be16 nat_port;
	__u8 tx_flags_seen;
	__u8 rx_flags_seen;
	__u32 src_sec_id;
	__u32 last_report;
};

struct nat_entry {
	union keep_word word;	/* that of the connection */
	__u32 backend_id;
	__be16 port;
	__u16 pad;
};

_Static_assert(sizeof(struct tuple4) == 14 && sizeof(struct tuple6) == 38, "as Cilium's");
_Static_assert(sizeof(struct ct_entry) == 56, "as Cilium's");
_Static_assert(__builtin_offsetof(struct ct_entry, word) == 32, "as Cilium's");

#define KEEP_VALUE	struct ct_entry
#define KEEP_WORD	word
#include <keep/half-life.h>

#define MAP(name, k, v)				\
	struct {				\
		__uint(type, BPF_MAP_TYPE_HASH);\
		__uint(max_entries, 4096);	\
		__type(key, k);			\
		__type(value, v);		\
	} name SEC(".maps")

MAP(ct4, struct tuple4, struct ct_entry);
MAP(ct6, struct tuple6, struct ct_entry);
MAP(nat4, struct tuple4, struct nat_entry);
MAP(nat6, struct tuple6, struct nat_entry);

struct packet {
	__u64 hash;
	__u32 now;
	__be16 sport;
	bool opens;
};

/* With the stripe held: the mapping is what the entry says, for as long. */
static __always_inline long map_flow(void *nat, const void *key, const struct ct_entry *ct)
{
	struct nat_entry mapping = {
		.word = ct->word,
		.backend_id = ct->backend_id,
		.port = ct->nat_port,
	};

	return bpf_map_update_elem(nat, key, &mapping, BPF_ANY);
}

static __always_inline long open_flow(void *ct, void *nat, const void *key,
				      const struct packet *p)
{
	struct keep_stripe *stripe = keep_take(p->hash);
	struct ct_entry entry = {
		.backend_id = bpf_ntohs(p->sport) % settings.backends,
		.word = keep_new_word(p->now + settings.lifetime, keep_tag(p->hash)),
		.nat_port = p->sport,
	};
	long err;

	if (!stripe)
		return -EBUSY;
	err = bpf_map_update_elem(ct, key, &entry, BPF_NOEXIST);
	if (!err) {
		err = map_flow(nat, key, &entry);
		if (err)
			bpf_map_delete_elem(ct, key);
	}
	keep_drop(stripe);
	return err;
}

/* The entry is due, or its mapping is not there: an LRU map may have evicted it. */
static __always_inline long refresh(void *ct, void *nat, const void *key,
				    const struct packet *p)
{
	struct keep_stripe *stripe = keep_take(p->hash);
	struct ct_entry copy;
	long err;

	if (!stripe)
		return -EBUSY;
	err = keep_read(ct, key, keep_tag(p->hash), &copy);
	if (!err) {
		copy.word.until = keep_later(copy.word.until, p->now + settings.lifetime);
		err = keep_replace(ct, key, &copy);
	}
	if (!err)
		err = map_flow(nat, key, &copy);
	keep_drop(stripe);
	return err;
}

static __always_inline bool is_mapped(void *nat, const void *key, __u32 tag)
{
	const struct nat_entry *mapping = bpf_map_lookup_elem(nat, key);

	return mapping && KEEP_LOAD(mapping->word.tag) == tag;
}

static __always_inline int track(void *ct, void *nat, const void *key, struct packet *p)
{
	__u32 tag = keep_tag(p->hash), i;
	const struct ct_entry *entry;
	enum keep_is is;
	long err;

	count(PACKETS);
	for (i = 0; i < KEEP_TRIES; i++) {
		entry = bpf_map_lookup_elem(ct, key);
		if (!entry && !p->opens) {
			err = keep_missed(ct, key, p->hash);
			if (!err)
				continue;
			count(err == -EBUSY ? BUSY : MISSED);
			return XDP_DROP;
		}
		if (!entry) {
			err = open_flow(ct, nat, key, p);
			/* Another packet of this flow was first. */
			if (err == -EEXIST)
				continue;
			count(!err ? OPENED : err == -EBUSY ? BUSY : FAILED);
			return err ? XDP_DROP : XDP_PASS;
		}
		is = keep_judge(&entry->word, tag, p->now + settings.lifetime / 2);
		if (is == KEEP_OTHER)
			continue;
		if (is == KEEP_FRESH) {
			if (is_mapped(nat, key, tag)) {
				count(FRESH);
				return XDP_PASS;
			}
			count(UNMAPPED);
		}
		err = refresh(ct, nat, key, p);
		if (err == -ENOENT)
			continue;
		count(!err ? REFRESHED : err == -EBUSY ? BUSY : FAILED);
		return XDP_PASS;
	}
	count(FAILED);
	return XDP_DROP;
}

/* --- packets ---------------------------------------------------------------------- */

/* False for a frame that is cut short. */
static __always_inline bool read_ports(void *l4, void *end, __u8 proto, struct packet *p,
				       __be16 *dport)
{
	struct tcphdr *tcp = l4;
	struct udphdr *udp = l4;

	if ((void *)(udp + 1) > end || (proto == IPPROTO_TCP && (void *)(tcp + 1) > end))
		return false;
	p->opens = proto == IPPROTO_UDP || (tcp->syn && !tcp->ack);
	p->now = NOW();
	p->sport = udp->source;
	*dport = udp->dest;
	return true;
}

static __noinline int handle4(void *data, void *end)
{
	struct tuple4 key __attribute__((aligned(8))) = {};
	struct iphdr *ip = data;
	struct packet p = {};
	__be16 dport;

	if ((void *)(ip + 1) > end)
		return XDP_PASS;
	if (ip->protocol != IPPROTO_TCP && ip->protocol != IPPROTO_UDP)
		return XDP_PASS;
	/* Options and fragments have their ports elsewhere, or nowhere. */
	if (ip->ihl != 5 || ip->frag_off & bpf_htons(0x3fff) ||
	    !read_ports(ip + 1, end, ip->protocol, &p, &dport))
		return XDP_DROP;
	key.daddr = ip->daddr;
	key.saddr = ip->saddr;
	key.dport = dport;
	key.sport = p.sport;
	key.nexthdr = ip->protocol;
	p.hash = keep_hash(&key, sizeof(key));
	return track(&ct4, &nat4, &key, &p);
}

static __noinline int handle6(void *data, void *end)
{
	struct tuple6 key __attribute__((aligned(8))) = {};
	struct ipv6hdr *ip = data;
	struct packet p = {};
	__be16 dport;

	if ((void *)(ip + 1) > end)
		return XDP_PASS;
	if (ip->nexthdr != IPPROTO_TCP && ip->nexthdr != IPPROTO_UDP)
		return XDP_PASS;
	if (!read_ports(ip + 1, end, ip->nexthdr, &p, &dport))
		return XDP_DROP;
	key.daddr = ip->daddr;
	key.saddr = ip->saddr;
	key.dport = dport;
	key.sport = p.sport;
	key.nexthdr = ip->nexthdr;
	p.hash = keep_hash(&key, sizeof(key));
	return track(&ct6, &nat6, &key, &p);
}

SEC("xdp")
int cilium(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = (void *)(long)ctx->data;

	if ((void *)(eth + 1) > end)
		return XDP_PASS;
	switch (eth->h_proto) {
	case bpf_htons(ETH_P_IP):
		return handle4(eth + 1, end);
	case bpf_htons(ETH_P_IPV6):
		return handle6(eth + 1, end);
	}
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
