// SPDX-License-Identifier: MIT OR Apache-2.0
//! `keep_delete()`: an entry goes if it is the one that was seen, and no other.

use std::os::fd::{AsFd as _, OwnedFd};

use cmpdel_uapi_raw::run_on_frame;

use crate::frames::{data, key_of, stripe_of, syn};
use crate::rig::{DELETES, LIFETIME, Rig, STRIPES, hash};

const XDP_ABORTED: u32 = 0;
const XDP_DROP: u32 = 1;
const XDP_PASS: u32 = 2;
const XDP_TX: u32 = 3;

#[test]
fn an_entry_goes_if_it_is_the_one_that_was_seen() {
    let Some(rig) = Rig::new(DELETES, hash(8)) else { return };
    let program = |name: &str| -> OwnedFd {
        let found = rig.datapath.object.progs().find(|program| program.name() == name).unwrap();
        found.as_fd().try_clone_to_owned().unwrap()
    };
    let (note, delete) = (program("note_word"), program("delete_noted"));
    let run = |program: &OwnedFd| run_on_frame(program.as_fd(), &data(1)).unwrap();

    assert!(rig.passes(&syn(1)));
    assert_eq!(run(&note), XDP_PASS);
    // Refreshed in the meantime: another word.
    rig.advance(LIFETIME / 2 + 1);
    assert!(rig.passes(&data(1)));
    assert_eq!((run(&delete), rig.entries().len()), (XDP_DROP, 1));
    // Held by somebody else.
    assert_eq!(run(&note), XDP_PASS);
    let stripe = stripe_of(&key_of(1), rig.settings.seed, STRIPES);
    rig.hold(stripe, true);
    assert_eq!((run(&delete), rig.entries().len()), (XDP_TX, 1));
    rig.hold(stripe, false);
    assert_eq!((run(&delete), rig.entries().len()), (XDP_PASS, 0));
    assert_eq!(run(&delete), XDP_ABORTED, "it is not there any more");
    rig.assert_all_let_go();
}
