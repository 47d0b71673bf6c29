// SPDX-License-Identifier: GPL-2.0-only
/*
 * The datapath of the concurrency test: replaces whole entries by
 * bpf_map_update_elem() and keeps a journal of the versions that it found
 * deleted. Each worker loads this for itself; only the entries are shared.
 *
 * A key is written by one worker alone, so what an update returns tells the
 * fate of the version before it. BPF_EXIST succeeds: that version has been
 * superseded, and nobody may claim to have deleted it. -ENOENT: it has been
 * deleted, and somebody must claim it, once.
 */
#include <linux/bpf.h>
#include <linux/errno.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

#define MAX_KEYS	64
#define MAX_STEPS	256	/* updates a run: bounds the journal */

/* A version names its key in the low 16 bits, so that no two keys share one. */
struct entry {
	__u64 created;
	__u64 version;
	__u64 fill[5];
};

/* In words of 64 bits: user space reads it so. */
struct writer {
	__u64 inserted;
	__u64 replaced;
	__u64 full;		/* -E2BIG, -ENOMEM: no element free at that moment */
	__u64 contended;	/* -EBUSY, -EDEADLK, -ETIMEDOUT: no bucket lock */
	__u64 unexpected;	/* any other error */
	__u64 removed_len;	/* in the last run */
	__u64 removed[MAX_STEPS];
	__u64 next;
	__u64 sequence[MAX_KEYS];
	__u64 live[MAX_KEYS];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_KEYS);
	__type(key, __u32);
	__type(value, struct entry);
} entries SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct writer);
} writer SEC(".maps");

/* The keys this worker writes. */
const volatile __u32 first_key = 0;
const volatile __u32 n_keys = 1;

static __u64 version_of(__u64 slot, __u64 sequence)
{
	return sequence << 16 | (first_key + slot);
}

/* True if the next version of @slot's key was stored, with @flags. */
static bool write(struct writer *w, __u64 slot, __u64 flags, long *err)
{
	__u64 version = version_of(slot, w->sequence[slot] + 1);
	struct entry entry = {
		.created = version,
		.version = version,
		.fill = { version, version, version, version, version },
	};
	__u32 key = first_key + slot;

	*err = bpf_map_update_elem(&entries, &key, &entry, flags);
	if (!*err)
		w->sequence[slot]++;
	return !*err;
}

static void count_error(struct writer *w, long err)
{
	if (err == -E2BIG || err == -ENOMEM)
		w->full++;
	else if (err == -EBUSY || err == -EDEADLK || err == -ETIMEDOUT)
		w->contended++;
	else
		w->unexpected++;
}

static long step(__u64 i, void *ctx)
{
	struct writer *w = *(struct writer **)ctx;
	__u64 slot = w->next++ % n_keys;
	__u64 end;
	long err;

	if (slot >= MAX_KEYS)
		return 1;

	if (w->live[slot]) {
		if (write(w, slot, BPF_EXIST, &err)) {
			w->replaced++;
			return 0;
		}
		if (err != -ENOENT) {
			count_error(w, err);
			return 0;
		}
		end = w->removed_len++;
		if (end >= MAX_STEPS)
			return 1;
		w->removed[end] = version_of(slot, w->sequence[slot]);
		w->live[slot] = 0;
	}

	if (write(w, slot, BPF_NOEXIST, &err)) {
		w->inserted++;
		w->live[slot] = 1;
	} else {
		count_error(w, err);
	}
	return 0;
}

struct run {
	__u32 steps;
};

/* One run: so many updates, going round the keys, with an empty journal. */
SEC("syscall")
int replace(struct run *run)
{
	__u32 steps = run->steps, zero = 0;
	struct writer *w;

	w = bpf_map_lookup_elem(&writer, &zero);
	if (!w)
		return 1;
	w->removed_len = 0;
	return bpf_loop(steps, step, &w, 0) == steps ? 0 : 1;
}

char LICENSE[] SEC("license") = "GPL";
