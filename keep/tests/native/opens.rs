// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which frames open flows, which need one, and which are none of the datapath's business.

use crate::frames::{data, datagram, syn};
use crate::rig::{LIFETIME, Rig, STRIPED, hash};

#[test]
fn a_syn_or_a_datagram_opens_a_flow() {
    let Some(rig) = Rig::new(STRIPED, hash(64)) else { return };
    let mut answer = syn(1);
    answer[47] |= 0x10;
    assert!(!rig.passes(&data(1)) && !rig.passes(&answer));
    assert_eq!((rig.counts().missed, rig.counts().opened), (2, 0));
    assert!(rig.passes(&syn(1)) && rig.passes(&data(1)) && rig.passes(&answer));
    assert!(rig.passes(&datagram(1)) && rig.passes(&datagram(1)));
    assert_eq!((rig.counts().opened, rig.counts().fresh), (2, 3), "a datagram is another flow's");

    // Expired, and not collected yet: whoever comes first has it.
    rig.advance(LIFETIME + 1);
    assert!(rig.passes(&data(1)));
    assert_eq!(rig.counts().refreshed, 1);
    let round = rig.collector().round_counted(rig.now().into()).unwrap();
    assert_eq!((round.looked_at, round.deleted), (2, 1));
    assert!(rig.passes(&data(1)) && rig.passes(&datagram(1)));
    assert_eq!(rig.counts().opened, 3);
}

#[test]
fn frames_that_are_no_flows() {
    let Some(rig) = Rig::new(STRIPED, hash(64)) else { return };
    let with = |at: usize, byte| {
        let mut frame = syn(1);
        frame[at] = byte;
        frame
    };
    assert!(rig.passes(&with(13, 6)), "ARP");
    assert!(rig.passes(&with(23, 1)), "ICMP");
    assert!(!rig.passes(&with(14, 0x46)), "options");
    assert!(!rig.passes(&with(21, 1)), "a later fragment");
    assert!(!rig.passes(&syn(1)[..50]), "cut short");
    assert_eq!(rig.counts().packets, 0);
}
