// SPDX-License-Identifier: MIT OR Apache-2.0
//! A collector that is killed in the middle of its rounds, again and again.

use std::env;
use std::io::{BufRead as _, BufReader};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

use cmpdel_uapi::Map;
use libbpf_rs::MapHandle;

use crate::frames::syn;
use crate::rig::{LIFETIME, Rig, STRIPED, clock_of, collector, hash};
use crate::traffic::{Pace, run};

const TIME: Duration = Duration::from_secs(1);
const KILLS: u32 = 30;
/// An emulated machine starts a process in seconds.
const PATIENCE: Duration = Duration::from_secs(240);
/// What the child finds in its environment: the ids of entries, stripes and clock.
const MAPS: &str = "KEEP_TEST_COLLECT";
const READY: &str = "collecting";

#[test]
fn a_collector_that_is_killed_leaves_nothing_behind() {
    let Some(rig) = Rig::new(STRIPED, hash(4096)) else { return };
    let killed = AtomicU32::new(0);
    let kill = |stop: &AtomicBool| {
        let mut random = fastrand::Rng::with_seed(1);
        while !stop.load(Relaxed) {
            kill_one(&rig, Duration::from_micros(random.u64(0..20_000)));
            killed.fetch_add(1, Relaxed);
        }
    };
    let (end, mut reopened) = (Instant::now() + PATIENCE, 0);
    while killed.load(Relaxed) < KILLS || reopened < 100 {
        assert!(
            Instant::now() < end,
            "{} killed, {reopened} flows opened again: too few",
            killed.load(Relaxed)
        );
        let tally = run(&rig, Pace::Run, TIME, &[&kill]);
        assert_eq!(tally.lost, 0, "{tally:?}");
        rig.assert_all_let_go();
        rig.assert_own_back_ends();
        reopened += tally.reopened;
    }
    println!("{} collectors killed, {reopened} flows opened again", killed.load(Relaxed));

    rig.passes(&syn(500));
    rig.advance(LIFETIME + 1);
    let left = rig.entries().len() as u64;
    let round = rig.collector().round_counted(rig.now().into()).unwrap();
    assert_eq!((round.deleted, round.busy), (left, 0), "{round:?}");
}

/// Starts a collector in a process of its own, and kills it some time after it has begun.
fn kill_one(rig: &Rig, after: Duration) {
    let id = |fd: BorrowedFd<'_>| Map::new(fd).unwrap().info().id.to_string();
    let maps = [id(rig.ct()), id(rig.stripes()), id(rig.clock())].join(" ");
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "killed::collects_until_it_is_killed", "--nocapture"])
        .env(MAPS, maps)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let began = lines.map_while(Result::ok).any(|line| line.contains(READY));
    thread::sleep(after);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(began, "the child did not collect");
}

/// The child. Started as a test like the others, it has nothing to do.
#[test]
fn collects_until_it_is_killed() {
    let Ok(maps) = env::var(MAPS) else { return };
    let maps: Vec<_> =
        maps.split(' ').map(|id| MapHandle::from_map_id(id.parse().unwrap()).unwrap()).collect();
    let [ct, stripes, clock] = &maps[..] else { panic!("{MAPS} names three maps") };
    let mut collector = collector(ct.as_fd(), stripes.as_fd());
    println!("{READY}");
    loop {
        // Told of keys and not: both ways are interrupted.
        collector.round(clock_of(clock).into(), |_, _| {}).unwrap();
        collector.round_counted(clock_of(clock).into()).unwrap();
    }
}
