// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counters of one flow, kept in each of the ways that datapaths keep them. A
 * packet is a look-up and a count; one run is a batch of packets.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

enum how {
	PLAIN,		/* packets++ */
	ATOMIC,		/* an atomic add to each */
	LOCKED,		/* both under the value's bpf_spin_lock */
};

struct flow {
	struct bpf_spin_lock lock;
	__u64 packets;
	__u64 bytes;
	__u64 unguarded;	/* packets, by ++ whatever else: loses where CPUs meet */
};

/* The user chooses between hash and array before it loads this. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct flow);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} per_cpu SEC(".maps");

const volatile __u32 how = PLAIN;

/* Bytes of every packet: what the two counters must agree on. */
const volatile __u64 packet_size = 100;

/*
 * Packets a run. More of them meet others for a greater part of the time; but
 * softirqs are off in an XDP program for as long as it runs.
 */
const volatile __u32 batch = 4096;

/*
 * Turns of a loop between a packet's two counts. More of them have the two out
 * of step for a greater part of the time; and the verifier walks them all.
 */
const volatile __u32 pause = 0;

static __always_inline void between(void)
{
	__u32 i;

	for (i = 0; i < pause; i++)
		asm volatile("" ::: "memory");
}

static long packet(__u64 i, void *ctx)
{
	__u32 zero = 0;
	struct flow *flow = bpf_map_lookup_elem(&flows, &zero);

	if (!flow)
		return 1;
	flow->unguarded++;
	switch (how) {
	case PLAIN:
		flow->packets++;
		between();
		flow->bytes += packet_size;
		break;
	case ATOMIC:
		__sync_fetch_and_add(&flow->packets, 1);
		between();
		__sync_fetch_and_add(&flow->bytes, packet_size);
		break;
	default:
		bpf_spin_lock(&flow->lock);
		flow->packets++;
		between();
		flow->bytes += packet_size;
		bpf_spin_unlock(&flow->lock);
	}
	return 0;
}

/* XDP_PASS once all packets of the batch are counted. */
SEC("xdp")
int count(struct xdp_md *ctx)
{
	return bpf_loop(batch, packet, NULL, 0) == batch ? XDP_PASS : XDP_ABORTED;
}

static long packet_per_cpu(__u64 i, void *ctx)
{
	__u32 zero = 0;
	struct flow *flow = bpf_map_lookup_elem(&flows, &zero);
	__u64 *packets = bpf_map_lookup_elem(&per_cpu, &zero);

	if (!flow || !packets)
		return 1;
	flow->unguarded++;
	(*packets)++;
	return 0;
}

SEC("xdp")
int count_per_cpu(struct xdp_md *ctx)
{
	return bpf_loop(batch, packet_per_cpu, NULL, 0) == batch ? XDP_PASS : XDP_ABORTED;
}

char LICENSE[] SEC("license") = "GPL";
