// SPDX-License-Identifier: MIT OR Apache-2.0
//! A stripe whose holder never lets go: its packets pass, its entries stay, and all others go on.

use keep::Outcome;

use crate::frames::{Flow, data, flow_of, key_of, stripe_of, syn};
use crate::rig::{Counts, LIFETIME, Rig, STRIPED, STRIPES, hash};

const FLOWS: u16 = 20;
const STUCK: Flow = 7;

#[test]
fn a_stripe_that_is_never_let_go_stops_nobody_else() {
    let Some(rig) = Rig::new(STRIPED, hash(4096)) else { return };
    let stripe = |flow| stripe_of(&key_of(flow), rig.settings.seed, STRIPES);
    let others: Vec<_> = (1..=FLOWS).filter(|&flow| stripe(flow) != stripe(STUCK)).collect();
    let stuck: Vec<_> = (1..=FLOWS).filter(|&flow| stripe(flow) == stripe(STUCK)).collect();
    assert!((1..=FLOWS).all(|flow| rig.passes(&syn(flow))));
    rig.hold(stripe(STUCK), true);

    // Fresh: nobody needs it.
    assert!(rig.passes(&data(STUCK)));
    assert_eq!(rig.counts().busy, 0);
    // Due: it passes, and is not refreshed.
    rig.advance(LIFETIME / 2 + 1);
    let before = rig.counts();
    assert!(rig.passes(&data(STUCK)));
    let after = rig.counts();
    let expected = Counts { packets: before.packets + 1, busy: before.busy + 1, ..before };
    assert_eq!(after, expected);
    assert!(rig.passes(&data(others[0])));
    assert_eq!(rig.counts().refreshed, after.refreshed + 1, "another stripe's flow is refreshed");

    // Expired: its entries stay, the others' go.
    rig.advance(LIFETIME + 1);
    let mut collector = rig.collector();
    let mut told = Vec::new();
    let round = collector.round(rig.now().into(), |key, outcome| told.push((flow_of(key), outcome))).unwrap();
    told.sort_by_key(|(flow, _)| *flow);
    let fate = |flow| if stuck.contains(&flow) { Outcome::Busy } else { Outcome::Deleted };
    assert_eq!(told, (1..=FLOWS).map(|flow| (flow, fate(flow))).collect::<Vec<_>>());
    assert_eq!((round.busy, round.deleted), (stuck.len() as u64, others.len() as u64));
    assert_eq!(rig.entries().len(), stuck.len());
    // A new flow of that stripe is not opened: nothing could be said of who else opens it.
    let new = (1000..60_000).find(|&flow| stripe(flow) == stripe(STUCK)).unwrap();
    assert!(!rig.passes(&syn(new)));

    rig.hold(stripe(STUCK), false);
    assert!(rig.passes(&syn(new)));
    let round = collector.round_counted(rig.now().into()).unwrap();
    assert_eq!((round.busy, round.deleted), (0, stuck.len() as u64));
    rig.assert_all_let_go();
}
