// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compare-and-delete and compare-and-update called by a program: bpf_sys_bpf()
 * reaches the commands with pointers of the kernel.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* The commands' part of union bpf_attr with the series, whatever the headers. */
struct elem_attr {
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
	__u64 value;	/* new one of an update */
	__u64 update;	/* or a delete */
	__u64 same;	/* answer: the element is the one that it was before */
};

/* The map that the request names as well. The user chooses type and flags. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} scratch SEC(".maps");

SEC("syscall")
int compare(struct request *request)
{
	static struct elem_attr attr;
	static __u64 expected, value;
	__u64 before, after;
	static __u32 key;
	int err;

	expected = request->expected;
	value = request->value;
	key = request->key;
	attr.map_fd = request->map_fd;
	attr.key = (__u64)(unsigned long)&key;
	attr.value = request->update ? (__u64)(unsigned long)&value : 0;
	attr.flags = request->flags;
	attr.compare = (__u64)(unsigned long)&expected;
	attr.compare_offset = 0;
	attr.compare_size = sizeof(expected);
	before = (__u64)(unsigned long)bpf_map_lookup_elem(&scratch, &key);
	err = bpf_sys_bpf(request->update ? BPF_MAP_UPDATE_ELEM : BPF_MAP_DELETE_ELEM, &attr, sizeof(attr));
	after = (__u64)(unsigned long)bpf_map_lookup_elem(&scratch, &key);
	request->same = before && before == after;
	return err;
}

char LICENSE[] SEC("license") = "GPL";
