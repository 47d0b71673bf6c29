// SPDX-License-Identifier: GPL-2.0-only
/*
 * What programs may do with the kfuncs, and what the verifier refuses. The user
 * loads one program at a time.
 */
#include <linux/bpf.h>
#include <linux/errno.h>
#include <bpf/bpf_helpers.h>

extern int bpf_map_compare_and_delete_elem(void *map, void *key, void *expected,
					   __u64 window) __ksym __weak;
extern int bpf_map_compare_and_update_elem(void *map, void *key, void *value, void *expected,
					   __u64 window) __ksym __weak;

#define WINDOW(offset, size) ((__u64)(offset) << 32 | (size))

#define MAP(name, map_type, flags, value_type)	\
	struct {				\
		__uint(type, map_type);		\
		__uint(max_entries, 4);		\
		__uint(map_flags, flags);	\
		__type(key, __u32);		\
		__type(value, value_type);	\
	} name SEC(".maps")

struct large {
	__u64 words[9];
};

struct locked {
	__u64 word;
	struct bpf_spin_lock lock;
};

struct timed {
	__u64 word;
	struct bpf_timer timer;
};

/* The user chooses type and flags of the first, and shares it. */
MAP(scratch, BPF_MAP_TYPE_HASH, 0, __u64);
MAP(array, BPF_MAP_TYPE_ARRAY, 0, __u64);
MAP(per_cpu, BPF_MAP_TYPE_PERCPU_HASH, 0, __u64);
MAP(read_only, BPF_MAP_TYPE_HASH, BPF_F_RDONLY_PROG, __u64);
MAP(write_only, BPF_MAP_TYPE_HASH, BPF_F_WRONLY_PROG, __u64);
MAP(large, BPF_MAP_TYPE_HASH, 0, struct large);
MAP(locked, BPF_MAP_TYPE_HASH, 0, struct locked);
MAP(timed, BPF_MAP_TYPE_HASH, 0, struct timed);

/* Nobody fills it: programs that use it are loaded, and not run. */
struct inner {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32);
	__array(values, struct inner);
} outer SEC(".maps");

struct request {
	__u32 key;
	__u32 update;	/* or a delete */
	__u64 expected;
	__u64 value;
};

/* Calls what the request asks for, with both compared as they are. */
static __always_inline int ask(void *map, void *key, void *value, void *expected, __u64 window,
			       __u64 update)
{
	if (update)
		return bpf_map_compare_and_update_elem(map, key, value, expected, window);
	return bpf_map_compare_and_delete_elem(map, key, expected, window);
}

SEC("?syscall")
int compare(struct request *request)
{
	__u64 expected = request->expected, value = request->value;
	__u32 key = request->key;

	return ask(&scratch, &key, &value, &expected, WINDOW(0, 8), request->update);
}

/* The upper half of the value alone, where it ends. */
SEC("?syscall")
int compare_upper(struct request *request)
{
	__u64 expected = request->expected, value = request->value;
	__u32 key = request->key;

	return ask(&scratch, &key, &value, &expected, WINDOW(4, 4), request->update);
}

/* What for_each hands to its callback: the key may be passed on as it is. */
static long sweep_one(void *map, __u32 *key, __u64 *value, struct request *request)
{
	__u64 expected = *value, new = request->value;

	if (*key != request->key)
		return 0;
	request->expected = ask(&scratch, key, &new, &expected, WINDOW(0, 8), request->update);
	return 1;
}

/* The answer is left in @expected. */
SEC("?syscall")
int sweep(struct request *request)
{
	struct request copy = *request;
	long seen;

	seen = bpf_for_each_map_elem(&scratch, sweep_one, &copy, 0);
	return seen < 0 ? seen : copy.expected;
}

/* Key, value and expected bytes that nobody may write to. */
const volatile __u32 constant_key = 0;
const volatile __u64 constant_expected = 0;
const volatile __u64 constant_value = 0;

SEC("?syscall")
int constants(struct request *request)
{
	return ask(&scratch, (void *)&constant_key, (void *)&constant_value,
		   (void *)&constant_expected, WINDOW(0, 8), request->update);
}

/* Another map's element is a copy as well. */
SEC("?syscall")
int foreign_element(struct request *request)
{
	__u32 key = request->key, zero = 0;
	__u64 value = request->value;
	__u64 *expected;

	expected = bpf_map_lookup_elem(&array, &zero);
	if (!expected)
		return -ESRCH;
	*expected = request->expected;
	return ask(&scratch, &key, &value, expected, WINDOW(0, 8), request->update);
}

/* An element of the map itself may be the new value, but not what is expected. */
SEC("?syscall")
int own_element_as_value(struct request *request)
{
	__u64 expected = request->expected;
	__u32 key = request->key;
	__u64 *value;

	value = bpf_map_lookup_elem(&scratch, &key);
	if (!value)
		return -ENOENT;
	return bpf_map_compare_and_update_elem(&scratch, &key, value, &expected, WINDOW(0, 8));
}

/* Beside the timer of a value a window is like any other. */
SEC("?syscall")
int beside_a_timer(struct request *request)
{
	struct timed expected = { .word = request->expected }, value = { .word = request->value };
	__u32 key = request->key;

	return ask(&timed, &key, &value, &expected, WINDOW(0, 8), request->update);
}

SEC("?syscall")
int longest(struct request *request)
{
	struct large expected = {}, value = {};
	__u32 key = request->key;

	return ask(&large, &key, &value, &expected, WINDOW(8, 64), request->update);
}

/* All of these are refused, each for one reason: for the delete and the update. */
#define REFUSED(name, map, value_type, window)						\
	SEC("?syscall")									\
	int name##_delete(struct request *request)					\
	{										\
		value_type expected = {};						\
		__u32 key = request->key;						\
											\
		return bpf_map_compare_and_delete_elem(&map, &key, &expected, window);	\
	}										\
											\
	SEC("?syscall")									\
	int name##_update(struct request *request)					\
	{										\
		value_type expected = {}, value = {};					\
		__u32 key = request->key;						\
											\
		return bpf_map_compare_and_update_elem(&map, &key, &value, &expected,	\
						       window);				\
	}

REFUSED(array, array, __u64, WINDOW(0, 8))
REFUSED(per_cpu, per_cpu, __u64, WINDOW(0, 8))
REFUSED(spin_lock, locked, struct locked, WINDOW(0, 8))
REFUSED(over_timer, timed, struct timed, WINDOW(8, 8))
REFUSED(empty, scratch, __u64, WINDOW(0, 0))
REFUSED(past, scratch, __u64, WINDOW(1, 8))
REFUSED(wraps, scratch, __u64, WINDOW(0xfffffffc, 8))
REFUSED(too_long, large, struct large, WINDOW(0, 65))
REFUSED(read_only, read_only, __u64, WINDOW(0, 8))
REFUSED(write_only, write_only, __u64, WINDOW(0, 8))
REFUSED(short_copy, scratch, __u32, WINDOW(0, 4))
REFUSED(unknown_window, scratch, __u64, WINDOW(0, request->value))

static __always_inline int compare_with_inner(struct request *request, __u32 to_compare_with)
{
	__u32 first = 0, key = request->key;
	void *map, *other;
	__u64 *expected;

	map = bpf_map_lookup_elem(&outer, &first);
	if (!map)
		return -ENOENT;
	other = to_compare_with ? bpf_map_lookup_elem(&outer, &to_compare_with) : map;
	if (!other)
		return -ENOENT;
	expected = bpf_map_lookup_elem(other, &key);
	if (!expected)
		return -ENOENT;
	return bpf_map_compare_and_delete_elem(map, &key, expected, WINDOW(0, 8));
}

SEC("?syscall")
int own_element_of_inner(struct request *request)
{
	return compare_with_inner(request, 0);
}

SEC("?syscall")
int element_of_other_inner(struct request *request)
{
	return compare_with_inner(request, 1);
}

/* An element compared with itself would always be equal. */
SEC("?syscall")
int own_element_delete(struct request *request)
{
	__u32 key = request->key;
	__u64 *expected;

	expected = bpf_map_lookup_elem(&scratch, &key);
	if (!expected)
		return -ENOENT;
	return bpf_map_compare_and_delete_elem(&scratch, &key, expected, WINDOW(0, 8));
}

SEC("?syscall")
int own_element_update(struct request *request)
{
	__u64 value = request->value;
	__u32 key = request->key;
	__u64 *expected;

	expected = bpf_map_lookup_elem(&scratch, &key);
	if (!expected)
		return -ENOENT;
	return bpf_map_compare_and_update_elem(&scratch, &key, &value, expected, WINDOW(0, 8));
}

char LICENSE[] SEC("license") = "GPL";
