// SPDX-License-Identifier: GPL-2.0-only
/* A map as people have them: a union and bit-fields in the key, network order, a name. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct tuple {
	union {
		__be32 src;
		__be32 srcv6[4];
	};
	__be16 port;
	__u8 proto;
	__u8 netns : 1,
	     client : 7;
	__u8 tail;
	__u8 pad[3];
};

enum state {
	STATE_OPEN,
	STATE_CLOSING,
};

struct owner {
	char comm[8];
	__be32 expires;
	__be16 dport;
	__u16 rounds;
	enum state state;
	__u32 unused;
	__u64 seen;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, struct tuple);
	__type(value, struct owner);
} owners SEC(".maps");
