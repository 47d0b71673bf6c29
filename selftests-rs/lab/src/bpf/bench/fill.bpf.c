// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fills a datapath's map from within, which takes a fifth of the time that bpf(2) takes, with values as the datapath's own
 * first packets make them; see src/bench/job/field.rs.
 */
#include "../datapath.h"

/* The map of the datapath is put in its place. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct ct4_key);
	__type(value, struct ct_value);
} entries SEC(".maps");

/* The context. */
struct fill {
	__u32 count;		/* flows, from the first one on */
	__u32 live;		/* lifetime of those that have not expired; 0: leave them out */
	__u32 due;		/* the same of those that have */
	__u32 of_hundred;	/* how many of each hundred have */
	__u32 cpus;		/* that have opened them, by turns */
	__u32 failed;		/* out: updates that failed */
};

static long fill_one(__u64 flow, void *ctx)
{
	struct fill *fill = *(struct fill **)ctx;
	struct packet p = { .flow = flow };
	struct ct4_key key __key = key_of(flow);
	struct ct_value value = {};

	p.lifetime = p.flow % 100 < fill->of_hundred ? fill->due : fill->live;
	if (!p.lifetime)
		return 0;
	p.tag = tag_of(keep_hash(&key, sizeof(key)));
	open_value(&value, &p);
	value.cpu = p.flow % fill->cpus;
	if (bpf_map_update_elem(&entries, &key, &value, BPF_ANY))
		fill->failed++;
	return 0;
}

/* The callback gets a copy: not every verifier has it use the context itself. */
SEC("syscall")
int fill(struct fill *context)
{
	struct fill copy = {
		.count = context->count,
		.live = context->live,
		.due = context->due,
		.of_hundred = context->of_hundred,
		.cpus = context->cpus,
	}, *fill = &copy;
	long done = bpf_loop(copy.count, fill_one, &fill, 0);

	context->failed = copy.failed;
	return done == copy.count ? 0 : 1;
}

char LICENSE[] SEC("license") = "GPL";
