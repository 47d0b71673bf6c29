// SPDX-License-Identifier: GPL-2.0-only
/* Elements with a timer each, which counts that it has fired. */
#include <linux/bpf.h>
#include <linux/errno.h>
#include <bpf/bpf_helpers.h>

#define CLOCK_MONOTONIC 1

struct timed {
	__u64 word;
	struct bpf_timer timer;
	__u64 behind;
};

/* The user chooses type and flags before it loads this. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, struct timed);
} timed SEC(".maps");

__u64 fired = 0;

static int fire(void *map, __u32 *key, struct timed *value)
{
	__sync_fetch_and_add(&fired, 1);
	return 0;
}

struct arming {
	__u32 key;
	__u32 pad;
	__u64 delay;	/* in nanoseconds */
};

/* Arms the timer of an element that is there. */
SEC("syscall")
int arm(struct arming *arming)
{
	__u32 key = arming->key;
	struct timed *value;
	int err;

	value = bpf_map_lookup_elem(&timed, &key);
	if (!value)
		return -ENOENT;
	err = bpf_timer_init(&value->timer, &timed, CLOCK_MONOTONIC);
	if (!err)
		err = bpf_timer_set_callback(&value->timer, fire);
	if (!err)
		err = bpf_timer_start(&value->timer, arming->delay, 0);
	return err;
}

char LICENSE[] SEC("license") = "GPL";
