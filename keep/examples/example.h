/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What both examples have in common: what the loader sets, what they count, the clock. */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <linux/bpf.h>
#include <linux/errno.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <keep/word.h>

/* Set before loading. */
const volatile struct settings {
	__u64 seed;		/* that the table of stripes was set up with */
	__u64 tick_ns;		/* the unit of lifetimes: nothing is more exact */
	__u32 lifetime;		/* in ticks */
	__u32 backends;
} settings SEC(".rodata.settings");

#define KEEP_SEED	settings.seed

/* Counted here, since entries in use are not written. UNMAPPED: a NAT mapping is gone. */
enum event { PACKETS, OPENED, FRESH, REFRESHED, BUSY, MISSED, FAILED, UNMAPPED, EVENTS };

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, EVENTS);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

static __always_inline void count(__u32 event)
{
	__u64 *counter = bpf_map_lookup_elem(&counters, &event);

	if (counter)
		*counter += 1;
}

/* Ticks since the machine was started: 32 bits of them have to last. */
#ifndef NOW
#define NOW()	(bpf_ktime_get_ns() / settings.tick_ns)
#endif

#endif
