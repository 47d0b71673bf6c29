/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the bench's programs share: a map of 16-byte keys and 56-byte values that
 * user space puts in the place of @entries, and @jobs, what is to be done with
 * it. src/bench/programs.rs has the same for Rust.
 */
#ifndef BENCH_H
#define BENCH_H

#include <linux/bpf.h>
#include <linux/errno.h>
#include <bpf/bpf_helpers.h>

#define MAX_JOBS	4096
#define LIFETIME	32	/* where it is in a value */
/* The lifetime, as the kfuncs have a window. */
#define WINDOW		((__u64)LIFETIME << 32 | sizeof(((struct value *)0)->lifetime))

struct key {
	__u64 words[2];
};

struct value {
	__u64 before[4];
	__u32 lifetime;
	__u32 after[5];
};

/* An element to remove, or to replace, if its lifetime is still what it was. */
struct job {
	struct key key;
	__u32 lifetime;
	__s32 result;		/* 0, or an errno, negative */
};

_Static_assert(sizeof(struct value) == 56, "as src/bench/stage.rs");
_Static_assert(__builtin_offsetof(struct value, lifetime) == LIFETIME, "as src/layout.rs");
_Static_assert(sizeof(struct job) == 24, "as src/bench/programs.rs");

/* Type, flags and size are those of the map put in its place. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct key);
	__type(value, struct value);
} entries SEC(".maps");

struct jobs {
	struct job job[MAX_JOBS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct jobs);
} jobs SEC(".maps");

/* The context of every call. */
struct call {
	struct job one;		/* of the form for one key */
	__u32 count;		/* of the form for an array */
	__s32 map_fd;		/* of @entries, in the calling process */
};

static __always_inline long do_one(struct job *job, struct call *call);

SEC("syscall")
int single(struct call *call)
{
	struct job job = call->one;

	do_one(&job, call);
	call->one.result = job.result;
	return 0;
}

SEC("syscall")
int array(struct call *call)
{
	__u32 zero = 0, i;
	struct jobs *all;

	all = bpf_map_lookup_elem(&jobs, &zero);
	if (!all)
		return -ENOENT;
	bpf_for(i, 0, call->count) {
		if (i >= MAX_JOBS)
			break;
		do_one(&all->job[i], call);
	}
	return 0;
}

#endif
