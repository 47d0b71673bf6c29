// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names of map types, as bpftool prints them.

/// By `enum bpf_map_type`.
const NAMES: [&str; 36] = [
    "unspec",
    "hash",
    "array",
    "prog_array",
    "perf_event_array",
    "percpu_hash",
    "percpu_array",
    "stack_trace",
    "cgroup_array",
    "lru_hash",
    "lru_percpu_hash",
    "lpm_trie",
    "array_of_maps",
    "hash_of_maps",
    "devmap",
    "sockmap",
    "cpumap",
    "xskmap",
    "sockhash",
    "cgroup_storage",
    "reuseport_sockarray",
    "percpu_cgroup_storage",
    "queue",
    "stack",
    "sk_storage",
    "devmap_hash",
    "struct_ops",
    "ringbuf",
    "inode_storage",
    "task_storage",
    "bloom_filter",
    "user_ringbuf",
    "cgrp_storage",
    "arena",
    "insn_array",
    "rhash",
];

/// The name bpftool gives to a map type, `unknown` for one that came later.
#[must_use]
pub fn map_type_name(map_type: u32) -> &'static str {
    usize::try_from(map_type).ok().and_then(|i| NAMES.get(i)).unwrap_or(&"unknown")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings as abi;

    #[test]
    fn the_table_is_in_step_with_the_bindings() {
        assert_eq!(NAMES.len(), abi::__MAX_BPF_MAP_TYPE as usize);
        assert_eq!(map_type_name(abi::BPF_MAP_TYPE_HASH), "hash");
        assert_eq!(map_type_name(abi::BPF_MAP_TYPE_SK_STORAGE), "sk_storage");
        assert_eq!(map_type_name(abi::BPF_MAP_TYPE_RHASH), "rhash");
        assert_eq!(map_type_name(4711), "unknown");
    }
}
