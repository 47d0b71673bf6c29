// SPDX-License-Identifier: MIT OR Apache-2.0
//! A look-up beside a replace can miss an entry that is there all the time, which the header's second look under the stripe does
//! not; and where fresh ends.

use std::os::fd::AsFd as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use cmpdel_uapi_raw::{Elements, Errno};

use crate::bare::{HASH, map};
use crate::frames::{data, syn};
use crate::rig::{LIFETIME, Rig, STRIPED, hash, turn};

/// So many that some share a bucket, wherever the map's own seed puts them.
const FLOWS: u16 = 64;
const LIMIT: Duration = Duration::from_secs(60);
const ENOENT: i32 = 2;

#[test]
fn a_look_up_beside_a_replace_misses_what_is_there() {
    let Some(_turn) = turn() else { return };
    if thread::available_parallelism().is_ok_and(|cpus| cpus.get() < 2) {
        return eprintln!("skipped: one CPU");
    }
    let map = map(HASH, 4, 8, FLOWS.into());
    let elements = Elements::new(map.as_fd()).unwrap();
    let key = |flow: u16| u32::from(flow).to_ne_bytes();
    (0..FLOWS).for_each(|flow| elements.update(&key(flow), &[0; 8], 0).unwrap());
    let (done, start) = (AtomicBool::new(false), Instant::now());
    let (mut looks, mut missed) = (0_u64, 0_u64);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                (0..FLOWS).for_each(|flow| elements.update(&key(flow), &[1; 8], 0).unwrap());
            }
        });
        while missed == 0 && start.elapsed() < LIMIT {
            looks += 1;
            let flow = u16::try_from(looks % u64::from(FLOWS)).unwrap();
            match elements.look_up(&key(flow), &mut [0; 8], 0) {
                Ok(()) => {}
                Err(Errno(ENOENT)) => missed += 1,
                Err(errno) => panic!("{errno}"),
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    println!("missed at look-up {looks}, after {:?}", start.elapsed());
    assert!(
        missed > 0,
        "{looks} look-ups found an entry that was being replaced: the second look is in vain"
    );
}

#[test]
fn a_packet_beside_a_refresh_is_not_missed() {
    let Some(rig) = Rig::new(STRIPED, hash(FLOWS.into())) else { return };
    (0..FLOWS).for_each(|flow| assert!(rig.passes(&syn(flow))));
    // Each packet is due, and replaces its entry; nobody collects.
    rig.run_clock(LIFETIME);
    let until = Instant::now() + Duration::from_secs(10);
    thread::scope(|scope| {
        scope.spawn(|| {
            while Instant::now() < until {
                (0..FLOWS).for_each(|flow| assert!(rig.passes(&data(flow))));
            }
        });
        while Instant::now() < until {
            (0..FLOWS)
                .rev()
                .for_each(|flow| assert!(rig.passes(&data(flow)), "a packet of a live flow was dropped"));
        }
    });
    let counts = rig.counts();
    println!("{counts:?}");
    assert_eq!((counts.missed, counts.opened), (0, FLOWS.into()));
}

#[test]
fn an_entry_is_fresh_until_half_of_its_lifetime_is_over() {
    let Some(rig) = Rig::new(STRIPED, hash(64)) else { return };
    assert!(rig.passes(&syn(1)));
    for (after, fresh) in [(LIFETIME / 2 - 1, true), (1, true), (1, false)] {
        let before = rig.counts();
        rig.advance(after);
        assert!(rig.passes(&data(1)));
        let now = rig.counts();
        let wanted = if fresh { (1, 0) } else { (0, 1) };
        assert_eq!((now.fresh - before.fresh, now.refreshed - before.refreshed), wanted, "{after}");
    }
}
