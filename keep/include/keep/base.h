/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What all headers here stand on. Include it through them. With vmlinux.h, include
 * that first.
 */
#ifndef KEEP_BASE_H
#define KEEP_BASE_H

#ifndef __VMLINUX_H__
#include <linux/bpf.h>
#include <linux/errno.h>
#include <linux/types.h>
#include <stdbool.h>
#endif
/* A datapath that has its own says so; it needs __always_inline, __weak, __ksym, SEC
 * and the map macros, too. Programs are compiled with -mcpu=v3: they exchange words.
 */
#ifndef KEEP_OWN_HELPERS
#include <bpf/bpf_helpers.h>
#endif
#include "word.h"

/* vmlinux.h has no macros. */
#ifndef ENOENT
#define ENOENT	2
#define EAGAIN	11
#define EBUSY	16
#define EEXIST	17
#define EINVAL	22
#endif

/* Where a test may hold a packet or a collector between two steps. */
#ifndef KEEP_PACKET_STEP
#define KEEP_PACKET_STEP(step)
#endif
#ifndef KEEP_GC_STEP
#define KEEP_GC_STEP(step)
#endif

/* Once, and in one piece where the CPU can. */
#define KEEP_LOAD(x)		(*(const volatile typeof(x) *)&(x))

/* Nothing that was to be loaded before it is loaded after it. BPF has no fence of
 * its own on older kernels; an exchange is one on every architecture.
 */
static __always_inline void keep_fence(void)
{
	__u64 word = 0;

	__sync_lock_test_and_set(&word, 1);
}

#endif
