// SPDX-License-Identifier: GPL-2.0-only
/* A map whose BTF names its fields, as `cmpdel --field` wants it. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct flow {
	__u64 packets;
	__u32 lifetime;
	__u16 flags;
	__u16 port;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, struct flow);
} flows SEC(".maps");
