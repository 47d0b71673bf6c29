// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cmpdel gc --stripes` on whatever kernel this runs. Needs root.

use std::os::fd::{AsFd as _, OwnedFd};
use std::path::PathBuf;

use cmpdel_uapi::bindings::BPF_MAP_TYPE_ARRAY;
use cmpdel_uapi_raw::{self as raw, Create};

use crate::common::{Bpffs, Fixture, Run, cmpdel, cmpdel_to};

const STRIPES: u32 = 8;
const MAGIC: u32 = 0x4b45_4550;

/// Stripes of that size and magic, pinned.
fn table(bpffs: &Bpffs, name: &str, value_size: u32, magic: u32, held: u32) -> (OwnedFd, PathBuf) {
    let create = Create {
        map_type: BPF_MAP_TYPE_ARRAY,
        key_size: 4,
        value_size,
        max_entries: STRIPES,
        name,
        ..Create::default()
    };
    let fd = raw::map_create(&create).unwrap();
    let mut stripe = vec![0; value_size as usize];
    stripe[..4].copy_from_slice(&held.to_ne_bytes());
    stripe[4..8].copy_from_slice(&magic.to_ne_bytes());
    stripe[8..16].copy_from_slice(&7_u64.to_ne_bytes());
    stripe[16..20].copy_from_slice(&1_u32.to_ne_bytes());
    stripe[20..24].copy_from_slice(&STRIPES.to_ne_bytes());
    for i in 0..STRIPES {
        raw::update(fd.as_fd(), &i.to_ne_bytes(), &stripe, 0).unwrap();
    }
    let path = bpffs.path().join(name);
    raw::pin(fd.as_fd(), &path).unwrap();
    (fd, path)
}

fn gc(fixture: &Fixture, stripes: &str) -> Run {
    cmpdel(&format!("gc --id {} --field lifetime --older-than 43 --json --stripes {stripes}", fixture.id()))
}

#[test]
fn expired_entries_are_deleted_under_stripes_and_under_no_other_table() {
    let rows = [
        ("set_up", 64, MAGIC, 0, 0, true, "\"means\":\"stripes\""),
        ("held", 64, MAGIC, 1, 6, false, "\"busy\":1"),
        ("not_set_up", 64, 0, 0, 2, false, "has not been set up"),
        ("no_stripes", 32, MAGIC, 0, 2, false, "no stripes of 64 bytes"),
    ];
    for (name, value_size, magic, held, code, deleted, said) in rows {
        let Some(fixture) = Fixture::with_btf("gc_stripes") else { return };
        let Some(bpffs) = Bpffs::mount() else { return };
        let (_table, path) = table(&bpffs, name, value_size, magic, held);
        let run = gc(&fixture, &path.display().to_string());
        if cfg!(feature = "stripes") {
            assert_eq!((run.code, fixture.value().is_none()), (code, deleted), "{name}: {run:?}");
            assert!(run.stdout.contains(said), "{name}: {run:?}");
        } else {
            assert_eq!((run.code, fixture.value().is_none()), (6, false), "{name}: {run:?}");
            assert!(run.stdout.contains("built without stripes"), "{name}: {run:?}");
        }
    }
}

/// What was deleted by then is, and the sentence says why the list is not whole.
#[test]
fn a_list_that_could_not_be_told_ends_the_round() {
    let Some(fixture) = Fixture::with_btf("gc_full") else { return };
    let Some(bpffs) = Bpffs::mount() else { return };
    let (_table, path) = table(&bpffs, "set_up", 64, MAGIC, 0);
    let args = format!(
        "gc --id {} --field lifetime --older-than 43 --keys --stripes {}",
        fixture.id(),
        path.display()
    );
    let run = cmpdel_to(&args, std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    assert_eq!(run.code, 6, "{run:?}");
    if cfg!(feature = "stripes") {
        assert!(fixture.value().is_none() && run.stderr.contains("the list of keys is not whole"), "{run:?}");
    }
}

#[test]
fn a_table_that_is_not_there_is_an_error() {
    let Some(fixture) = Fixture::with_btf("gc_no_table") else { return };
    let run = gc(&fixture, "/nowhere/keep_stripes");
    assert_eq!((run.code, fixture.value().is_some()), (6, true), "{run:?}");
    assert!(run.stdout.contains("there is no such file"), "{run:?}");
}
