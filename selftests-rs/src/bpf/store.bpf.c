// SPDX-License-Identifier: GPL-2.0-only
/*
 * A datapath that stores into an entry in place, through a looked-up pointer:
 * one aligned word, alternately all 0x11 and all 0x22.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define STORES 4096

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} words SEC(".maps");

const volatile __u32 width = 8;

static long store(__u64 i, void *ctx)
{
	__u64 **word = ctx;
	__u64 bytes = i & 1 ? 0x2222222222222222ULL : 0x1111111111111111ULL;

	switch (width) {
	case 2:
		*(volatile __u16 *)*word = bytes;
		break;
	case 4:
		*(volatile __u32 *)*word = bytes;
		break;
	default:
		*(volatile __u64 *)*word = bytes;
	}
	return 0;
}

/* Does nothing, and says so, when the entry is gone. */
SEC("syscall")
int alternate(void *ctx)
{
	__u32 zero = 0;
	__u64 *word = bpf_map_lookup_elem(&words, &zero);

	if (!word)
		return 1;
	bpf_loop(STORES, store, &word, 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
