// SPDX-License-Identifier: MIT OR Apache-2.0
//! The promise of the crate, on whatever kernel this runs: only an equal window deletes, and nothing at all does on a
//! kernel without the series. Needs the right to make BPF maps; without it, each test says `skipped:` and why.

// A test's helper fails as the test does.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use cmpdel_uapi::bindings as abi;
use cmpdel_uapi::{Error, Map, Outcome, Support, Window, delete_if_eq, map_by_id, next_map_id, probe};
use cmpdel_uapi_raw::{self as raw, Create, Errno, Ptr, Single};

const KEY: [u8; 4] = [10, 0, 0, 1];
const VALUE: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

/// A map, of one entry if it is a hash, or the reason why there is none on standard error.
fn map_of(map_type: u32) -> Option<OwnedFd> {
    let create =
        Create { map_type, key_size: 4, value_size: 8, max_entries: 4, name: "promise", ..Create::default() };
    let fd = common::made(raw::map_create(&create))?;
    // Per-CPU values are longer; those maps are left empty.
    if map_type == abi::BPF_MAP_TYPE_HASH {
        raw::update(fd.as_fd(), &KEY, &VALUE, 0).unwrap();
    }
    Some(fd)
}

fn entry(fd: &OwnedFd) -> Option<Vec<u8>> {
    Map::new(fd.as_fd()).unwrap().lookup(&KEY).unwrap()
}

#[test]
fn probe_says_what_the_kernel_says_of_the_flag() {
    let Some(fd) = map_of(abi::BPF_MAP_TYPE_HASH) else { return };
    let unreadable = Single { compare: Ptr::Kernel, ..Single::compare(fd.as_raw_fd(), &KEY, 0, &VALUE) };
    let expected = match unreadable.send(168) {
        Err(Errno(libc::EFAULT)) => Support::Supported,
        Err(Errno(libc::EINVAL)) => Support::Unsupported,
        other => panic!("{other:?}"),
    };
    assert_eq!(entry(&fd).as_deref(), Some(&VALUE[..]));
    assert_eq!(probe().unwrap(), expected);
    assert_eq!(probe().unwrap(), expected, "the second answer is the one kept");
}

#[test]
fn only_an_equal_window_deletes_and_only_on_a_kernel_with_the_series() {
    let rows: [(&str, Window<'_>, Outcome); 8] = [
        ("whole value", Window::whole(&VALUE), Outcome::Deleted),
        ("start", Window::at(0, &VALUE[..1]), Outcome::Deleted),
        ("middle, unaligned", Window::at(3, &VALUE[3..6]), Outcome::Deleted),
        ("end", Window::at(7, &VALUE[7..]), Outcome::Deleted),
        ("whole value differs in the last byte", Window::whole(&[1, 2, 3, 4, 5, 6, 7, 9]), Outcome::Mismatch),
        ("start differs", Window::at(0, &[2]), Outcome::Mismatch),
        ("right bytes at the wrong place", Window::at(1, &VALUE[..4]), Outcome::Mismatch),
        ("end differs", Window::at(7, &[0]), Outcome::Mismatch),
    ];
    for (name, window, outcome) in rows {
        let Some(fd) = map_of(abi::BPF_MAP_TYPE_HASH) else { return };
        let answer = delete_if_eq(fd.as_fd(), &KEY, window);
        let gone = match probe().unwrap() {
            Support::Supported => {
                assert_eq!(answer.unwrap(), outcome, "{name}");
                outcome == Outcome::Deleted
            }
            Support::Unsupported => {
                assert!(matches!(answer, Err(Error::UnsupportedKernel)), "{name}: {answer:?}");
                false
            }
        };
        assert_eq!(entry(&fd).is_none(), gone, "{name}");
    }
}

#[test]
fn the_short_attribute_that_this_crate_never_sends_does_delete() {
    let Some(fd) = map_of(abi::BPF_MAP_TYPE_HASH) else { return };
    let wrong = Single::compare(fd.as_raw_fd(), &KEY, 0, &[0; 8]);
    wrong.send(16).unwrap();
    assert_eq!(entry(&fd), None, "the hazard is gone from this kernel: good news, and this crate may say so");
}

#[test]
fn an_absent_key_is_told_from_a_difference() {
    let Some(fd) = map_of(abi::BPF_MAP_TYPE_HASH) else { return };
    let answer = delete_if_eq(fd.as_fd(), &[0; 4], Window::whole(&VALUE));
    match probe().unwrap() {
        Support::Supported => assert_eq!(answer.unwrap(), Outcome::Absent),
        Support::Unsupported => assert!(matches!(answer, Err(Error::UnsupportedKernel))),
    }
    assert_eq!(entry(&fd).as_deref(), Some(&VALUE[..]));
}

#[test]
fn arguments_that_do_not_fit_are_found_before_the_kernel_is_asked() {
    let Some(fd) = map_of(abi::BPF_MAP_TYPE_HASH) else { return };
    let map = Map::new(fd.as_fd()).unwrap();
    for key in [&[][..], &KEY[..3], &[0; 5][..]] {
        let answer = map.delete_if_eq(key, Window::whole(&VALUE));
        assert!(
            matches!(answer, Err(Error::KeySize { given, expected: 4 }) if given == key.len()),
            "{answer:?}"
        );
    }
    let windows = [
        Window::whole(&[]),
        Window::at(8, &[]),
        Window::at(8, &[1]),
        Window::at(1, &VALUE),
        Window::at(u32::MAX, &VALUE),
        Window::whole(&[0; 9]),
    ];
    for window in windows {
        let answer = map.delete_if_eq(&KEY, window);
        assert!(matches!(answer, Err(Error::BadWindow { value_size: 8, .. })), "{window:?}: {answer:?}");
    }
    assert!(matches!(map.lookup(&KEY[..3]), Err(Error::KeySize { .. })));
    assert!(matches!(map.check_delete(8..9), Err(Error::BadWindow { value_size: 8, .. })));
    assert_eq!(entry(&fd).as_deref(), Some(&VALUE[..]));
}

#[test]
fn another_map_type_is_refused_and_kept() {
    let Some(fd) = map_of(abi::BPF_MAP_TYPE_PERCPU_HASH) else { return };
    let map = Map::new(fd.as_fd()).unwrap();
    let answers = [map.delete_if_eq(&KEY, Window::whole(&VALUE)).map(drop), map.check()];
    for answer in answers {
        match probe().unwrap() {
            Support::Supported => assert!(matches!(answer, Err(Error::UnsupportedMap { map_type: 5 }))),
            Support::Unsupported => assert!(matches!(answer, Err(Error::UnsupportedKernel))),
        }
    }
    // Its values are one for each CPU: the kernel would write more than value_size bytes.
    assert!(matches!(map.lookup(&KEY), Err(Error::UnsupportedMap { map_type: 5 })));
}

#[test]
fn an_fd_that_may_not_both_read_and_write_is_not_permitted() {
    for mode in ["write only", "read only", "frozen"] {
        let Some(fd) = map_of(abi::BPF_MAP_TYPE_HASH) else { return };
        let id = Map::new(fd.as_fd()).unwrap().info().id;
        let flags = match mode {
            "write only" => abi::BPF_F_WRONLY,
            "read only" => abi::BPF_F_RDONLY,
            _ => 0,
        };
        let other = match raw::fd_by_id(id, flags) {
            Ok(other) => other,
            Err(errno) => return eprintln!("skipped: this process may not open maps by id ({errno})"),
        };
        if mode == "frozen" {
            raw::freeze(fd.as_fd()).unwrap();
        }
        let map = Map::new(other.as_fd()).unwrap();
        for answer in [map.delete_if_eq(&KEY, Window::whole(&VALUE)).map(drop), map.check()] {
            match probe().unwrap() {
                Support::Supported => assert!(matches!(answer, Err(Error::Permission)), "{mode}: {answer:?}"),
                Support::Unsupported => assert!(matches!(answer, Err(Error::UnsupportedKernel)), "{mode}"),
            }
        }
        assert_eq!(entry(&fd).as_deref(), Some(&VALUE[..]), "{mode}");
    }
}

#[test]
fn check_deletes_nothing() {
    let Some(fd) = map_of(abi::BPF_MAP_TYPE_HASH) else { return };
    let answer = Map::new(fd.as_fd()).unwrap().check();
    match probe().unwrap() {
        Support::Supported => answer.unwrap(),
        Support::Unsupported => assert!(matches!(answer, Err(Error::UnsupportedKernel)), "{answer:?}"),
    }
    assert_eq!(entry(&fd).as_deref(), Some(&VALUE[..]));
}

#[test]
fn what_is_no_map_is_refused() {
    let file = File::open("/dev/null").unwrap();
    assert!(matches!(Map::new(file.as_fd()), Err(Error::NotAMap)));

    // One type, `int`: BTF of the kernel is an object of bpf(2) too, with information of about the same size.
    let blob: [u32; 11] = [0x0001_eb9f, 24, 0, 16, 16, 5, 1, 0x0100_0000, 4, 0x0100_0020, 0x746e_6900];
    let mut blob: Vec<u8> = blob.iter().flat_map(|word| word.to_ne_bytes()).collect();
    blob.push(0);
    match raw::btf_load(&blob) {
        Ok(btf) => assert!(matches!(Map::new(btf.as_fd()), Err(Error::NotAMap))),
        Err(errno) => eprintln!("skipped: this process may not load BTF ({errno})"),
    }
}

#[test]
fn a_map_is_found_by_its_id() {
    let Some(fd) = map_of(abi::BPF_MAP_TYPE_HASH) else { return };
    let info = Map::new(fd.as_fd()).unwrap().info().clone();
    assert_eq!((info.key_size, info.value_size, info.max_entries), (4, 8, 4));
    assert_eq!((info.map_type, info.name.as_str()), (abi::BPF_MAP_TYPE_HASH, "promise"));
    match map_by_id(info.id) {
        Ok(again) => assert_eq!(Map::new(again.as_fd()).unwrap().info(), &info),
        Err(Error::Permission) => return eprintln!("skipped: this process may not open maps by id"),
        Err(error) => panic!("{error}"),
    }
    assert_eq!(next_map_id(info.id - 1).unwrap(), Some(info.id));
    assert_eq!(next_map_id(u32::MAX - 1).unwrap(), None);
}
