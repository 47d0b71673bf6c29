// SPDX-License-Identifier: MIT OR Apache-2.0
//! A map without room: no flow is opened, and those that there are live on.

use crate::datapath::Shape;
use crate::frames::{data, syn};
use crate::rig::{LIFETIME, Rig, STRIPED, hash, unallocated};

const ENTRIES: u16 = 16;

#[test]
fn a_full_map_refreshes_what_it_has() {
    for shape in [hash(ENTRIES.into()), unallocated(ENTRIES.into())] {
        fill(shape);
    }
}

fn fill(shape: Shape) {
    let Some(rig) = Rig::new(STRIPED, shape) else { return };
    assert!((1..=ENTRIES).all(|flow| rig.passes(&syn(flow))));
    let more = [100, 101, 102];
    assert!(more.iter().all(|&flow| !rig.passes(&syn(flow))), "a full map took one more");
    assert_eq!((rig.counts().opened, rig.counts().failed), (ENTRIES.into(), 3));

    rig.advance(LIFETIME / 2 + 1);
    let live = 1..=ENTRIES / 2;
    assert!(live.clone().all(|flow| rig.passes(&data(flow))));
    let counts = rig.counts();
    assert_eq!((counts.refreshed, counts.failed), (u64::from(ENTRIES / 2), 3), "{counts:?}");

    rig.advance(LIFETIME / 2);
    let round = rig.collector().round_counted(rig.now().into()).unwrap();
    assert_eq!(round.deleted, u64::from(ENTRIES / 2), "{round:?}");
    assert!(more.iter().all(|&flow| rig.passes(&syn(flow))), "there was room");
    assert!(live.clone().all(|flow| rig.passes(&data(flow))));
    rig.assert_own_back_ends();
    rig.assert_all_let_go();
}
