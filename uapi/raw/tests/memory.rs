// SPDX-License-Identifier: MIT OR Apache-2.0
//! A buffer that is too short is seen by the kernel as such. Needs the right to make BPF maps.

use std::os::fd::{AsFd, AsRawFd};

use cmpdel_uapi::bindings::BPF_MAP_TYPE_HASH;
use cmpdel_uapi_raw::{Batch, Create, Errno, Ptr, Single, map_create, update};

const PAGE: u32 = 4096;

#[test]
fn the_kernel_reads_no_byte_beyond_a_buffer() {
    let create = Create {
        map_type: BPF_MAP_TYPE_HASH,
        key_size: 4,
        value_size: 5000,
        max_entries: 4,
        ..Create::default()
    };
    let map = match map_create(&create) {
        Ok(map) => map,
        Err(errno) => return eprintln!("skipped: this process may not make BPF maps ({errno})"),
    };
    let (key, value, fault) = ([7; 4], [1; 5000], Err(Errno(libc::EFAULT)));
    assert_eq!(update(map.as_fd(), &key[..3], &value, 0), fault);
    assert_eq!(update(map.as_fd(), &key, &value[..4999], 0), fault);
    assert_eq!(update(map.as_fd(), &key, &value, 0), Ok(()));

    let fd = map.as_raw_fd();
    for key in [Ptr::Bytes(&key[..3]), Ptr::Null, Ptr::Unmapped, Ptr::Kernel] {
        assert_eq!(Single { key, ..Single::plain(fd, &[]) }.send(168), fault, "{key:?}");
    }
    let said = Batch::plain(fd, &key, 2).send(56);
    assert_eq!((said.count, said.answer), (1, fault), "the first key is deleted, the second cannot be read");
    assert_eq!(Single::plain(fd, &key).send(32), Err(Errno(libc::ENOENT)));
}

#[test]
fn a_hole_is_a_page_and_no_more() {
    let create = Create {
        map_type: BPF_MAP_TYPE_HASH,
        key_size: PAGE,
        value_size: 8,
        max_entries: 4,
        ..Create::default()
    };
    let map = match map_create(&create) {
        Ok(map) => map,
        Err(errno) => return eprintln!("skipped: this process may not make BPF maps ({errno})"),
    };
    let keys: Vec<u8> = (1..=3).flat_map(|key| [key; PAGE as usize]).collect();
    for key in keys.chunks(PAGE as usize) {
        assert_eq!(update(map.as_fd(), key, &[0; 8], 0), Ok(()));
    }
    let batch = Batch { keys: Ptr::Holed(&keys, 1), ..Batch::plain(map.as_raw_fd(), &[], 3) };
    let said = batch.send(56);
    assert_eq!((said.count, said.answer), (1, Err(Errno(libc::EFAULT))));
    assert_eq!(Batch::plain(map.as_raw_fd(), &keys[PAGE as usize..], 2).send(56).answer, Ok(()));
}

#[test]
fn a_byte_beyond_what_the_kernel_knows_is_too_big() {
    let sent = |offset, size| Single { trailing: Some((offset, 1)), ..Single::plain(-1, &[0]) }.send(size);
    match sent(4095, 4096) {
        Err(Errno(libc::EPERM | libc::ENOSYS)) => return eprintln!("skipped: no bpf(2) here"),
        answer => assert_eq!(answer, Err(Errno(libc::E2BIG))),
    }
    assert_eq!(sent(4095, 4095), Err(Errno(libc::EBADF)), "the kernel is not told of that byte");
    assert_eq!(sent(0, 4097), Err(Errno(libc::E2BIG)));
}
