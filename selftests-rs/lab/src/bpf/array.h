/* SPDX-License-Identifier: GPL-2.0-only */
/* The two forms of a collector that works on a snapshot. */
#ifndef ARRAY_H
#define ARRAY_H

#include "collector.h"

#ifdef CLASSIC_RCU
extern void bpf_rcu_read_lock(void) __weak __ksym;
extern void bpf_rcu_read_unlock(void) __weak __ksym;
#endif

/* A syscall program may sleep, so it does not keep an element from its next owner
 * where that waits for readers of the classic kind alone (RHASH). Whoever holds a
 * pointer over more than one step asks for that.
 */
static __always_inline void collect_one(struct record *r, const struct key *key, struct call *call)
{
#ifdef CLASSIC_RCU
	if (bpf_ksym_exists(bpf_rcu_read_lock))
		bpf_rcu_read_lock();
#endif
	collect(r, key, call);
#ifdef CLASSIC_RCU
	if (bpf_ksym_exists(bpf_rcu_read_lock))
		bpf_rcu_read_unlock();
#endif
}

static __always_inline int do_single(void)
{
	struct call *call = get_call();
	struct key key;

	if (!call)
		return 1;
	key = key_in(&call->one);
	collect_one(&call->one, &key, call);
	return 0;
}

static long one_of_array(__u64 i, void *ctx)
{
	struct records *all = get_records();
	struct call *call = get_call();
	struct key key;

	if (!all || !call || i >= MAX_RECORDS)
		return 1;
	key = key_in(&all->record[i]);
	collect_one(&all->record[i], &key, call);
	return 0;
}

static __always_inline int do_array(void)
{
	struct call *call = get_call();
	__u32 count;

	if (!call)
		return 1;
	count = call->count;
	return bpf_loop(count, one_of_array, NULL, 0) == count ? 0 : 1;
}

ENTRY(single)
ENTRY(array)

char LICENSE[] SEC("license") = "GPL";

#endif
