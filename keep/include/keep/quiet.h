/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Nothing else runs on this CPU in between: no packet, no timer.
 *
 * Where a kernel has no bpf_local_irq_save (before 6.14) the program has to be of a
 * type that runs with bottom halves off, as packets and timers do: a tc program,
 * through a test run, with bottom halves off for as long as the whole of it takes.
 * (6.1 runs those with bottom halves on: there a packet may come in between, and spin
 * for a stripe as long as its bound lets it. It then leaves the entry as it is.)
 */
#ifndef KEEP_QUIET_H
#define KEEP_QUIET_H

#include "base.h"

extern void bpf_local_irq_save(unsigned long *flags) __weak __ksym;
extern void bpf_local_irq_restore(unsigned long *flags) __weak __ksym;

static __always_inline void keep_quiet(unsigned long *flags)
{
	if (bpf_ksym_exists(bpf_local_irq_save))
		bpf_local_irq_save(flags);
}

static __always_inline void keep_loud(unsigned long *flags)
{
	if (bpf_ksym_exists(bpf_local_irq_restore))
		bpf_local_irq_restore(flags);
}

#endif
