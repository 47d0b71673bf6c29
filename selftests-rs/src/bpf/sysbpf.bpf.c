// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compare-and-delete called by a program: bpf_sys_bpf() reaches the command
 * with pointers of the kernel.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* The command's part of union bpf_attr with the series, whatever the headers. */
struct delete_attr {
	__u32 map_fd;
	__u32 pad;
	__u64 key;
	__u64 value;
	__u64 flags;
	__u64 compare;
	__u32 compare_offset;
	__u32 compare_size;
};

struct request {
	__u32 map_fd;
	__u32 key;
	__u64 flags;
	__u64 expected;
};

SEC("syscall")
int delete(struct request *request)
{
	static struct delete_attr attr;
	static __u64 expected;
	static __u32 key;

	expected = request->expected;
	key = request->key;
	attr.map_fd = request->map_fd;
	attr.key = (__u64)(unsigned long)&key;
	attr.flags = request->flags;
	attr.compare = (__u64)(unsigned long)&expected;
	attr.compare_offset = 0;
	attr.compare_size = sizeof(expected);
	return bpf_sys_bpf(BPF_MAP_DELETE_ELEM, &attr, sizeof(attr));
}

char LICENSE[] SEC("license") = "GPL";
