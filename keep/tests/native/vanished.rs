// SPDX-License-Identifier: MIT OR Apache-2.0
//! A map that nobody but the collector has any more.

use std::fs;
use std::os::fd::AsFd as _;
use std::path::PathBuf;

use cmpdel_uapi_raw as raw;

use crate::frames::syn;
use crate::rig::{LIFETIME, Rig, STRIPED, collector, hash};

#[test]
fn rounds_go_on_when_the_datapath_and_its_pins_are_gone() {
    let Some(rig) = Rig::new(STRIPED, hash(4096)) else { return };
    assert!((1..=20).all(|flow| rig.passes(&syn(flow))));
    let pin = PathBuf::from(format!("/sys/fs/bpf/keep-test-{}", std::process::id()));
    let pinned = match raw::pin(rig.ct(), &pin) {
        Ok(()) => Some(cmpdel_uapi::map_pinned(&pin).unwrap()),
        Err(errno) => {
            eprintln!("no bpffs to pin to ({errno}): the fd is a copy of the datapath's");
            None
        }
    };
    let ct = pinned.unwrap_or_else(|| rig.ct().try_clone_to_owned().unwrap());
    let stripes = rig.stripes().try_clone_to_owned().unwrap();
    let mut collector = collector(ct.as_fd(), stripes.as_fd());
    let now = rig.now();
    assert_eq!(collector.round_counted(now.into()).unwrap().looked_at, 20);

    drop(rig);
    // It is there only if it could be pinned.
    let _ = fs::remove_file(&pin);
    let mut told = 0;
    let round = collector.round((now + LIFETIME).into(), |_, _| told += 1).unwrap();
    assert_eq!((round.looked_at, round.expired, round.deleted, told), (20, 0, 0, 0));
    let round = collector.round((now + LIFETIME + 1).into(), |_, _| told += 1).unwrap();
    assert_eq!((round.looked_at, round.deleted, told), (20, 20, 20));
    let round = collector.round((now + LIFETIME + 1).into(), |_, _| told += 1).unwrap();
    assert_eq!((round.looked_at, told), (0, 20));
}
