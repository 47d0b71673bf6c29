/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Nothing else runs on this CPU in between: no packet, no timer. Where the kernel
 * has no such call, the program is of a type that runs with bottom halves off, as
 * both do too. (6.1 runs those with bottom halves on: there a packet may come in
 * between, and spin for a stripe as long as its bound lets it.)
 */
#ifndef QUIET_H
#define QUIET_H

#include "conntrack.h"

extern void bpf_local_irq_save(unsigned long *flags) __weak __ksym;
extern void bpf_local_irq_restore(unsigned long *flags) __weak __ksym;

static __always_inline void begin_quiet(unsigned long *flags)
{
	if (bpf_ksym_exists(bpf_local_irq_save))
		bpf_local_irq_save(flags);
}

static __always_inline void end_quiet(unsigned long *flags)
{
	if (bpf_ksym_exists(bpf_local_irq_save))
		bpf_local_irq_restore(flags);
}

#endif
