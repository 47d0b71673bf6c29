// SPDX-License-Identifier: GPL-2.0-only
/* Counts the system calls of one process. Only in rounds that are not timed: it is not for free. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64[2]);
} counted SEC(".maps");

SEC("raw_tp/sys_enter")
int count(void *ctx)
{
	__u32 zero = 0;
	__u64 *all = bpf_map_lookup_elem(&counted, &zero);

	/* The process, and its calls. */
	if (all && all[0] == bpf_get_current_pid_tgid() >> 32)
		__sync_fetch_and_add(&all[1], 1);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
