// SPDX-License-Identifier: GPL-2.0-only
/*
 * The workload: a stateful XDP connection tracker. Compiled once for each
 * refresh discipline, which REFRESH_HEADER names.
 *
 * Packets come as frames (IPv4 and IPv6, TCP and UDP), or as bursts: a frame
 * that names a lane, in which user space has listed up to BURST packets. A burst
 * is handled in one run, as the driver handles what one poll brought in.
 */
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include REFRESH_HEADER
#include "burst.h"
#ifndef OWN_HANDLE
#include "handle.h"
#endif
#ifdef TIMED
#include "timer.h"
#endif

/* Flags and size are chosen by whoever loads this, and the type where it is one
 * that libbpf's Rust knows.
 */
#ifndef MAP_TYPE
#define MAP_TYPE BPF_MAP_TYPE_HASH
#endif

#ifndef GENERATIONS
struct {
	__uint(type, MAP_TYPE);
	__uint(max_entries, 4096);
	__type(key, struct ct4_key);
	__type(value, struct ct_value);
} ct4 SEC(".maps"), snat4 SEC(".maps");

struct {
	__uint(type, MAP_TYPE);
	__uint(max_entries, 4096);
	__type(key, struct ct6_key);
	__type(value, struct ct_value);
} ct6 SEC(".maps"), snat6 SEC(".maps");
#define CT4	(&ct4)
#else
/* Found packet by packet. */
#define CT4	NULL
#endif

static __always_inline __u32 track(void *map, const void *key, __u32 key_size, struct packet *p)
{
	__u32 outcome;

	if (config.stamped)
		p->began = bpf_ktime_get_ns();
	gate(PACKET, READ_CLOCK);
	p->now = read_clock();
	p->err = 0;
	p->seen = 0;
	p->seen_backend = 0;
	p->tag = 0;
#ifndef ASKS_WHEN_DUE
	ask(p);
#endif
#if defined(TAGGED) || defined(STRIPED)
	p->hash = keep_hash(key, key_size);
#endif
#ifdef TAGGED
	p->tag = tag_of(p->hash);
#endif
	outcome = handle(map, key, p);
#ifdef TIMED
	if (outcome == CREATED)
		outcome = created(map, key, key_size, p);
#endif
	return outcome;
}

/* --- bursts ---------------------------------------------------------------- */

static long one_of_burst(__u64 i, void *ctx)
{
	struct lane *lane = *(struct lane **)ctx;
	struct ct4_key key __key;
	struct packet *p;

	if (i >= BURST)
		return 1;
	p = &lane->packets[i];
	key = key_of(p->flow);
	p->outcome = track(CT4, &key, sizeof(key), p);
	return 0;
}

#ifndef GENERATIONS
/* --- frames ---------------------------------------------------------------- */

struct ports {
	__be16 source;
	__be16 dest;
	bool rst;
};

/* What the transport header says; false if it is cut short. */
static __always_inline bool transport(void *l4, void *data_end, __u8 proto,
				      struct ports *ports, struct packet *p)
{
	struct tcphdr *tcp = l4;
	struct udphdr *udp = l4;

	if (proto == IPPROTO_TCP) {
		if ((void *)(tcp + 1) > data_end)
			return false;
		*ports = (struct ports){ tcp->source, tcp->dest, tcp->rst };
		if (tcp->syn)
			p->kind = OPEN;
		else
			p->kind = tcp->fin || tcp->rst ? CLOSE : DATA;
		return true;
	}
	if ((void *)(udp + 1) > data_end)
		return false;
	*ports = (struct ports){ udp->source, udp->dest };
	p->kind = DATAGRAM;
	return true;
}

/* Where user space makes room for all ports. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct connection);
} connections SEC(".maps");

/* A packet that finds no entry, a SYN that then makes one among them, asks for the
 * clock again: no collector has acted by a later one, so that an entry which lasts
 * until then was live when it went. A veth has one queue, so that this runs for one
 * packet at a time.
 */
static __always_inline void note_connection(const struct packet *p, bool rst, __u32 outcome)
{
	struct connection *c = bpf_map_lookup_elem(&connections, &p->flow);
	__u32 until;

	if (!c)
		return;
	until = READ_ONCE(c->until);
	if (outcome == MISSED || (outcome == CREATED && !p->seen)) {
		if (until && until >= read_clock())
			WRITE_ONCE(c->lost, c->lost + 1);
	} else if (p->kind == OPEN && p->seen && until && until < p->now) {
		WRITE_ONCE(c->reopened, c->reopened + 1);
	}
	if (outcome == CREATED || outcome == STORED || outcome == REPLACED)
		WRITE_ONCE(c->until, p->lifetime);
	if (p->kind == DATA && c->reset)
		WRITE_ONCE(c->went_on, c->went_on + 1);
	if (p->kind == DATA || p->kind == OPEN)
		c->reset = false;
	else if (rst)
		c->reset = true;
}

/* The packet would go where another flow's state says. */
static __always_inline bool is_foreign(const struct packet *p)
{
	return p->seen_backend && p->seen_backend != backend_of(p->flow);
}

static __always_inline int decide(__u32 ct, __u32 snat, bool foreign)
{
	struct control *c = get_control();

	if (!c)
		return XDP_ABORTED;
	if (ct == MISSED || ct == FAILED) {
		__sync_fetch_and_add(&c->dropped, 1);
		return XDP_DROP;
	}
	if (snat == MISSED || snat == FAILED) {
		__sync_fetch_and_add(&c->snat_dropped, 1);
		return XDP_DROP;
	}
	if (foreign)
		__sync_fetch_and_add(&c->foreign, 1);
	__sync_fetch_and_add(&c->passed, 1);
	return XDP_PASS;
}

/* Not in one function: older compilers give each copy of a discipline a stack of its
 * own, and all of them together have 512 bytes.
 */
static __noinline int handle_ipv4(void *data, void *data_end, __u32 bytes)
{
	struct iphdr *ip = data;
	struct packet p = { .bytes = bytes };
	struct ct4_key key __key = {};
	struct ports ports;
	bool foreign;
	__u32 ct, snat = NOTHING;

	if ((void *)(ip + 1) > data_end)
		return XDP_DROP;
	if (ip->protocol != IPPROTO_TCP && ip->protocol != IPPROTO_UDP)
		return XDP_PASS;
	/* No options, no fragments: the lab sends none, and cannot tell flows in them. */
	if (ip->ihl != 5 || ip->frag_off & bpf_htons(0x3fff))
		return XDP_DROP;
	if (!transport(ip + 1, data_end, ip->protocol, &ports, &p))
		return XDP_DROP;
	key.saddr = ip->saddr;
	key.daddr = ip->daddr;
	key.sport = ports.source;
	key.dport = ports.dest;
	key.proto = ip->protocol;
	p.flow = bpf_ntohs(ports.source);
	ct = track(&ct4, &key, sizeof(key), &p);
	note_connection(&p, ports.rst, ct);
	foreign = is_foreign(&p);
	if (config.snat && ct != MISSED && ct != FAILED) {
		snat = track(&snat4, &key, sizeof(key), &p);
		foreign |= is_foreign(&p);
	}
	return decide(ct, snat, foreign);
}

static __noinline int handle_ipv6(void *data, void *data_end, __u32 bytes)
{
	struct ipv6hdr *ip = data;
	struct packet p = { .bytes = bytes };
	struct ct6_key key __key = {};
	struct ports ports;
	bool foreign;
	__u32 ct, snat = NOTHING;

	if ((void *)(ip + 1) > data_end)
		return XDP_DROP;
	if (ip->nexthdr != IPPROTO_TCP && ip->nexthdr != IPPROTO_UDP)
		return XDP_PASS;
	if (!transport(ip + 1, data_end, ip->nexthdr, &ports, &p))
		return XDP_DROP;
	__builtin_memcpy(key.saddr, &ip->saddr, sizeof(key.saddr));
	__builtin_memcpy(key.daddr, &ip->daddr, sizeof(key.daddr));
	key.sport = ports.source;
	key.dport = ports.dest;
	key.proto = ip->nexthdr;
	p.flow = bpf_ntohs(ports.source);
	ct = track(&ct6, &key, sizeof(key), &p);
	note_connection(&p, ports.rst, ct);
	foreign = is_foreign(&p);
	if (config.snat && ct != MISSED && ct != FAILED) {
		snat = track(&snat6, &key, sizeof(key), &p);
		foreign |= is_foreign(&p);
	}
	return decide(ct, snat, foreign);
}

#endif

SEC("xdp")
int xdp_conntrack(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;

	if ((void *)(eth + 1) > data_end)
		return XDP_DROP;
	if (eth->h_proto == bpf_htons(ETH_P_BURST))
		return handle_burst(ctx, one_of_burst, XDP_ABORTED);
	/* A replay sends bursts alone, and gates give the verifier much to do. */
	if (config.gated)
		return XDP_PASS;
	switch (eth->h_proto) {
#ifndef GENERATIONS
	case bpf_htons(ETH_P_IP):
		return handle_ipv4(eth + 1, data_end, data_end - data);
	case bpf_htons(ETH_P_IPV6):
		return handle_ipv6(eth + 1, data_end, data_end - data);
#endif
	}
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
