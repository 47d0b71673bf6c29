/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A collector that is a syscall program works on the datapath's map, which user
 * space puts in the place of @entries. It is one function,
 *
 *	static int collect(struct record *r, struct call *call);
 *
 * for one record of the snapshot, and comes in two forms: one record a call, as
 * the program's context, or all records in a call, from the map @records.
 */
#ifndef COLLECTOR_H
#define COLLECTOR_H

#include "conntrack.h"

#define MAX_KEY		40
#define MAX_RECORDS	4096

enum fate {
	ASKED,
	REMOVED,
	KEPT,			/* live by now */
	ABSENT,			/* somebody else removed it */
	ERROR,			/* see err */
};

/* One entry of a snapshot, and what became of it. */
struct record {
	__u8 key[MAX_KEY];
	__u32 lifetime;		/* in the snapshot */
	__u16 fate;
	__s16 err;
};

/* Key and value sizes, and all else, are those of the map put in its place. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct ct4_key));
	__type(value, struct ct_value);
} entries SEC(".maps");

struct records {
	struct record record[MAX_RECORDS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct records);
} records SEC(".maps");

/* The context of every call. */
struct call {
	struct record one;	/* of the single form */
	__u32 count;		/* records, in the array form; out: visited, when walking */
	__u32 now;		/* what the collector judges by */
	__s32 map_fd;		/* of @entries, in the calling process */
	__u32 key_size;
};

static __always_inline int fate_of(struct record *r, long err)
{
	r->err = err;
	if (!err)
		r->fate = REMOVED;
	else if (err == -ENOENT)
		r->fate = ABSENT;
	else if (err == -EBUSY || err == -EAGAIN)
		r->fate = KEPT;	/* the window differs */
	else
		r->fate = ERROR;
	return 0;
}

static __always_inline int kept(struct record *r)
{
	r->fate = KEPT;
	return 0;
}

static __always_inline int gone(struct record *r)
{
	r->fate = ABSENT;
	return 0;
}

#ifndef NO_ENTRY_POINTS
static int collect(struct record *r, struct call *call);

SEC("syscall")
int single(struct call *call)
{
	struct record r = call->one;
	int err;

	err = collect(&r, call);
	call->one.fate = r.fate;
	call->one.err = r.err;
	return err;
}

static long one_of_array(__u64 i, void *ctx)
{
	struct call *call = *(struct call **)ctx;
	struct records *all;
	__u32 zero = 0;

	all = bpf_map_lookup_elem(&records, &zero);
	if (!all || i >= MAX_RECORDS)
		return 1;
	collect(&all->record[i], call);
	return 0;
}

SEC("syscall")
int array(struct call *call)
{
	__u32 count = call->count;

	return bpf_loop(count, one_of_array, &call, 0) == count ? 0 : 1;
}
#endif

#endif
