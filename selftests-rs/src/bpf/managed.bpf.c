// SPDX-License-Identifier: GPL-2.0-only
/*
 * One hash map for each kind of field that the kernel manages inside a value.
 *
 * The kernel knows these types by BTF name and size. They are declared here as
 * linux/bpf.h of 7.3 does, so that older headers will do to build this.
 */
#include <linux/types.h>
#include <bpf/bpf_helpers.h>

#define BPF_MAP_TYPE_HASH 1

#define __contains(type, node) __attribute__((btf_decl_tag("contains:" #type ":" #node)))

struct bpf_spin_lock { __u32 val; };
struct bpf_res_spin_lock { __u32 val; };
struct bpf_timer { __u64 __opaque[2]; } __attribute__((aligned(8)));
struct bpf_wq { __u64 __opaque[2]; } __attribute__((aligned(8)));
struct bpf_task_work { __u64 __opaque; } __attribute__((aligned(8)));
struct bpf_list_head { __u64 __opaque[2]; } __attribute__((aligned(8)));
struct bpf_list_node { __u64 __opaque[3]; } __attribute__((aligned(8)));
struct bpf_rb_root { __u64 __opaque[2]; } __attribute__((aligned(8)));
struct bpf_rb_node { __u64 __opaque[4]; } __attribute__((aligned(8)));
struct bpf_refcount { __u32 __opaque[1]; } __attribute__((aligned(4)));

/* Of the kernel's own type the name is enough. */
struct task_struct {
	int pid;
};

struct list_item {
	struct bpf_list_node node;
	__u64 data;
};

struct tree_item {
	struct bpf_rb_node node;
	__u64 data;
};

struct percpu_item {
	__u64 data;
};

/* Never made: these bring the whole types into the BTF. */
struct list_item list_item;
struct tree_item tree_item;
struct percpu_item percpu_item;
struct task_struct task_struct;

/* Ordinary fields before and behind the managed ones. */
#define MANAGED_MAP(name, fields)			\
	struct name##_value {				\
		__u64 before;				\
		fields					\
		__u64 behind;				\
	};						\
	struct {					\
		__uint(type, BPF_MAP_TYPE_HASH);	\
		__uint(max_entries, 4);			\
		__uint(map_flags, 1);			\
		__type(key, __u32);			\
		__type(value, struct name##_value);	\
	} name SEC(".maps")

MANAGED_MAP(spin_lock, struct bpf_spin_lock lock;);
MANAGED_MAP(res_spin_lock, struct bpf_res_spin_lock lock;);
MANAGED_MAP(timer, struct bpf_timer timer;);
MANAGED_MAP(workqueue, struct bpf_wq wq;);
MANAGED_MAP(task_work, struct bpf_task_work work;);
MANAGED_MAP(refcount, struct bpf_refcount count;);
MANAGED_MAP(kptr_ref, struct task_struct __kptr *task;);
MANAGED_MAP(kptr_untrusted, struct task_struct __kptr_untrusted *task;);
MANAGED_MAP(kptr_percpu, struct percpu_item __percpu_kptr *item;);
MANAGED_MAP(list_head, struct bpf_spin_lock lock; struct bpf_list_head head __contains(list_item, node););
MANAGED_MAP(rb_root, struct bpf_spin_lock lock; struct bpf_rb_root root __contains(tree_item, node););
