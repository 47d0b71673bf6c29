// SPDX-License-Identifier: MIT OR Apache-2.0
//! Values of which the kernel manages a part, a timer: a window beside it is compared, a window over it is an error of its own.
//! Needs the right to make BPF maps; without it, each test says `skipped:` and why.

// A test's helper fails as the test does.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use cmpdel_uapi::bindings as abi;
use cmpdel_uapi::{Error, Map, Outcome, Support, Updated, Window, probe_batch, probe_update};
use cmpdel_uapi_raw::{self as raw, Create};

const KEY: [u8; 4] = [10, 0, 0, 1];
const SEEN: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

/// BTF of `unsigned`, `struct bpf_timer { u64 opaque[2]; }` and `struct value { struct bpf_timer t; u64 seen; }`.
fn btf() -> Vec<u8> {
    const NAMES: &[u8] = b"\0u32\0u64\0bpf_timer\0opaque\0value\0t\0seen\0";
    let name = |name: &str| {
        let name = format!("\0{name}\0");
        u32::try_from(NAMES.windows(name.len()).position(|at| at == name.as_bytes()).unwrap() + 1).unwrap()
    };
    let (int, array, structure) = (1 << 24, 3 << 24, 4 << 24);
    let types = [
        [name("u32"), int, 4, 32].as_slice(),
        &[name("u64"), int, 8, 64],
        &[0, array, 0, 2, 1, 2],
        &[name("bpf_timer"), structure | 1, 16, name("opaque"), 3, 0],
        &[name("value"), structure | 2, 24, name("t"), 4, 0, name("seen"), 2, 128],
    ]
    .concat();
    let (types_size, names_size) =
        (u32::try_from(4 * types.len()).unwrap(), u32::try_from(NAMES.len()).unwrap());
    let magic = 0x0001_eb9f;
    let header = [magic, 24, 0, types_size, types_size, names_size];
    let mut blob: Vec<u8> = header.into_iter().chain(types).flat_map(u32::to_le_bytes).collect();
    blob.extend(NAMES);
    blob
}

/// A map of one entry, its timer never started; or the reason why there is none on standard error.
fn with_a_timer() -> Option<OwnedFd> {
    if cfg!(target_endian = "big") {
        eprintln!("skipped: the BTF here is little-endian");
        return None;
    }
    let create = |btf: &OwnedFd| {
        raw::map_create(&Create {
            map_type: abi::BPF_MAP_TYPE_HASH,
            key_size: 4,
            value_size: 24,
            max_entries: 4,
            btf_fd: btf.as_raw_fd(),
            btf_key_type_id: 1,
            btf_value_type_id: 5,
            ..Create::default()
        })
    };
    match raw::btf_load(&btf()).and_then(|btf| create(&btf)) {
        Ok(fd) => {
            raw::update(fd.as_fd(), &KEY, &[&[0; 16][..], &SEEN].concat(), 0).unwrap();
            Some(fd)
        }
        Err(errno) => {
            eprintln!("skipped: this process may not make maps with timers ({errno})");
            None
        }
    }
}

#[test]
fn a_window_beside_a_timer_is_compared_and_one_over_it_is_refused_with_the_reason() {
    let Some(fd) = with_a_timer() else { return };
    let map = Map::new(fd.as_fd()).unwrap();
    let value = [&[0; 16][..], &SEEN].concat();
    if probe_update(abi::BPF_MAP_TYPE_HASH).unwrap() == Support::Unsupported {
        let answer = map.delete_if_eq(&KEY, Window::at(16, &SEEN));
        assert!(matches!(answer, Err(Error::UnsupportedKernel | Error::UnsupportedMap { .. })), "{answer:?}");
        return assert!(map.lookup(&KEY).unwrap().is_some());
    }
    map.check().unwrap();
    map.check_delete(16..24).unwrap();
    let refused = [
        map.delete_if_eq(&KEY, Window::whole(&value)).map(drop),
        map.update_if_eq(&KEY, &value, Window::at(15, &[0])).map(drop),
        map.delete_batch_if_eq(&KEY, &value, 12..20).map(drop),
        map.check_delete(0..1),
        map.check_update(8..24),
    ];
    for answer in refused {
        let error = answer.unwrap_err();
        assert!(matches!(error, Error::ManagedField { .. }), "{error:?}");
        assert!(error.to_string().contains("choose bytes beside it"), "{error}");
    }
    let new = [&[0; 16][..], &[9; 8]].concat();
    assert_eq!(map.update_if_eq(&KEY, &new, Window::at(16, &SEEN)).unwrap(), Updated::Replaced);
    assert_eq!(map.delete_if_eq(&KEY, Window::at(16, &SEEN)).unwrap(), Outcome::Mismatch);
    assert_eq!(probe_batch(abi::BPF_MAP_TYPE_HASH).unwrap(), Support::Supported);
    assert_eq!(map.delete_batch_if_eq(&KEY, &new, 16..24).unwrap().outcomes, [Outcome::Deleted]);
}
