// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a looked-up pointer shows of changes made while it is held. Holder and
 * changer are one program, so that the order of their steps is certain: the
 * kernel functions are the same, and know nothing of who calls them.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

enum change {
	STORE,		/* in place, through a second pointer */
	UPDATE,		/* bpf_map_update_elem() */
	UPDATE_LOCKED,	/* the same with BPF_F_LOCK */
};

struct halves {
	__u64 first;
	__u64 last;
};

struct entry {
	struct bpf_spin_lock lock;
	struct halves halves;
};

/* The user chooses type and flags before it loads this. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct entry);
} entries SEC(".maps");

/* Changes both halves, @times times: each time to @value, and then by @step. */
struct request {
	__u64 change;
	__u64 times;
	__u64 value;
	__u64 step;
};

/* What was seen; all of it in words of 64 bits. */
struct held {
	struct request request;
	struct halves copied;	/* by the program, before the change */
	struct halves across;	/* one half through the pointer before the change, the other after */
	struct halves after;	/* both through the pointer after the change */
	struct halves fresh;	/* by a look-up after the change */
};

static int change(const struct request *request)
{
	struct entry new = { .halves = { request->value, request->value } };
	__u64 times = request->times;
	struct entry *entry;
	__u32 zero = 0;
	__u64 i;

	for (i = 0; i < times && i < 16; i++) {
		switch (request->change) {
		case STORE:
			entry = bpf_map_lookup_elem(&entries, &zero);
			if (!entry)
				return 1;
			*(volatile __u64 *)&entry->halves.first = new.halves.first;
			*(volatile __u64 *)&entry->halves.last = new.halves.last;
			break;
		case UPDATE:
			if (bpf_map_update_elem(&entries, &zero, &new, BPF_EXIST))
				return 1;
			break;
		default:
			if (bpf_map_update_elem(&entries, &zero, &new, BPF_EXIST | BPF_F_LOCK))
				return 1;
		}
		new.halves.first += request->step;
		new.halves.last += request->step;
	}
	return 0;
}

static int look(struct halves *fresh)
{
	struct entry *entry;
	__u32 zero = 0;

	entry = bpf_map_lookup_elem(&entries, &zero);
	if (!entry)
		return 1;
	*fresh = entry->halves;
	return 0;
}

/* Reads through a pointer that it holds while the entry changes. */
SEC("syscall")
int hold(struct held *held)
{
	struct request request = held->request;
	volatile struct entry *entry;
	struct halves fresh;
	__u32 zero = 0;

	entry = bpf_map_lookup_elem(&entries, &zero);
	if (!entry)
		return 1;
	held->copied.first = entry->halves.first;
	held->copied.last = entry->halves.last;
	held->across.first = entry->halves.first;
	if (change(&request))
		return 1;
	held->across.last = entry->halves.last;
	held->after.first = entry->halves.first;
	held->after.last = entry->halves.last;
	if (look(&fresh))
		return 1;
	held->fresh = fresh;
	return 0;
}

/* Counts a packet, one half before the change and one after: each atomically. */
SEC("syscall")
int count_across(struct held *held)
{
	struct request request = held->request;
	struct halves fresh;
	struct entry *entry;
	__u32 zero = 0;

	entry = bpf_map_lookup_elem(&entries, &zero);
	if (!entry)
		return 1;
	__sync_fetch_and_add(&entry->halves.first, 1);
	if (change(&request))
		return 1;
	__sync_fetch_and_add(&entry->halves.last, 1);
	if (look(&fresh))
		return 1;
	held->fresh = fresh;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
