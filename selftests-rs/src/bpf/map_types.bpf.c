// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps that cannot be made without BTF: storage that belongs to a kernel
 * object, and struct_ops.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* By number, so that headers older than these types will do. */
#define MAP_TYPE_SK_STORAGE	24
#define MAP_TYPE_INODE_STORAGE	28
#define MAP_TYPE_TASK_STORAGE	29
#define MAP_TYPE_CGRP_STORAGE	32

#define LOCAL_STORAGE(name, map_type)				\
	struct {						\
		__uint(type, map_type);				\
		__uint(map_flags, BPF_F_NO_PREALLOC);		\
		__type(key, int);				\
		__type(value, __u64);				\
	} name SEC(".maps")

LOCAL_STORAGE(sk_storage, MAP_TYPE_SK_STORAGE);
LOCAL_STORAGE(inode_storage, MAP_TYPE_INODE_STORAGE);
LOCAL_STORAGE(task_storage, MAP_TYPE_TASK_STORAGE);
LOCAL_STORAGE(cgrp_storage, MAP_TYPE_CGRP_STORAGE);

/* As in the kernel's net/bpf/bpf_dummy_struct_ops.c: an interface that does nothing. */
struct bpf_dummy_ops_state;

struct bpf_dummy_ops {
	int (*test_1)(struct bpf_dummy_ops_state *state);
};

SEC("struct_ops/test_1")
int test_1(void *ctx)
{
	return 0;
}

SEC(".struct_ops")
struct bpf_dummy_ops struct_ops = {
	.test_1 = (void *)test_1,
};

char LICENSE[] SEC("license") = "GPL";
