// SPDX-License-Identifier: GPL-2.0-only
/* A syscall program that looks up, compares and deletes: three steps, in the kernel. */
#include "bench.h"

static __always_inline long do_one(struct job *job, struct call *call)
{
	struct value *value = bpf_map_lookup_elem(&entries, &job->key);

	if (!value)
		job->result = -ENOENT;
	else if (value->lifetime != job->lifetime)
		job->result = -ESTALE;
	else
		job->result = bpf_map_delete_elem(&entries, &job->key);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
