// SPDX-License-Identifier: MIT OR Apache-2.0
//! The examples on a map of this kernel. Needs root; without, it says `skipped:` and why.

// A test's helper fails as the test does.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use cmpdel_uapi::Map;
use cmpdel_uapi::bindings::BPF_MAP_TYPE_HASH;
use cmpdel_uapi_raw::{self as raw, Create};

/// A bpffs of this test alone, gone with it.
struct Bpffs(PathBuf);

impl Bpffs {
    fn mount() -> Option<Self> {
        let path = env::temp_dir().join(format!("uapi-examples.{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        let this = Self(path);
        let status = Command::new("mount").args(["-t", "bpf", "bpf"]).arg(&this.0).status();
        if status.is_ok_and(|status| status.success()) {
            return Some(this);
        }
        eprintln!("skipped: no bpffs can be mounted here");
        None
    }
}

impl Drop for Bpffs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
        let _ = fs::remove_dir(&self.0);
    }
}

/// What an example says on standard error; `cargo test` builds it beside the tests, unless it is told to build some of them alone.
fn example(name: &str, path: &Path, args: &[&str]) -> Option<String> {
    let tests = env::current_exe().unwrap();
    let program = tests.ancestors().nth(2).unwrap().join("examples").join(name);
    if !program.exists() {
        eprintln!("skipped: the example {name} was not built");
        return None;
    }
    let output = Command::new(program).arg(path).args(args).output().unwrap();
    Some(String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_key_that_is_too_long_is_not_taken_for_its_end() {
    let create = Create {
        map_type: BPF_MAP_TYPE_HASH,
        key_size: 4,
        value_size: 8,
        max_entries: 4,
        ..Create::default()
    };
    let Some(fd) = common::made(raw::map_create(&create)) else { return };
    let Some(bpffs) = Bpffs::mount() else { return };
    let path = bpffs.0.join("map");
    raw::pin(fd.as_fd(), &path).unwrap();
    raw::update(fd.as_fd(), &[0, 0, 0, 1], &[7; 8], 0).unwrap();
    for (name, args) in [("delete", &["100000001", "0", "8"][..]), ("update", &["100000001", "0", "1"])] {
        let Some(said) = example(name, &path, args) else { return };
        assert!(said.contains("the keys of this map are shorter"), "{name}: {said}");
        let value = Map::new(fd.as_fd()).unwrap().lookup(&[0, 0, 0, 1]).unwrap();
        assert_eq!(value, Some(vec![7; 8]), "{name}");
    }
}
