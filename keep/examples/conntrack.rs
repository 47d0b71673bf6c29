// SPDX-License-Identifier: MIT OR Apache-2.0
//! A connection tracker at XDP (`conntrack.bpf.c`) and its collector, on real traffic. As root, on Linux 6.1 or later:
//!
//! ```text
//! cargo run -p keep --example conntrack
//! ```
//!
//! Flows that talk more often than half a lifetime have to live; flows that fall silent have to go. It ends by itself, with 0
//! if that is so, and leaves nothing behind.

mod rig;

use std::os::fd::AsFd as _;
use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use anyhow::{Result, ensure};
use keep::{Collector, Field, Outcome, Plan, Round};

use rig::clock::now;
use rig::datapath::Datapath;
use rig::flows::{Flow, serve};
use rig::net::{Link, SERVER};
use rig::run::{Arguments, TICK};
use rig::show::Show;
use rig::verdict::Verdict;

/// TCP and UDP flows that live, and as many that fall silent.
const PAIRS: usize = 8;

/// `enum event` of the datapath.
const EVENTS: [&str; 7] = ["packets", "opened", "fresh", "refreshed", "busy", "missed", "failed"];
const OPENED: usize = 1;
const MISSED: usize = 5;

const OBJECT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/conntrack.o"));

fn main() -> ExitCode {
    rig::run::main("conntrack", run)
}

fn run(arguments: Arguments) -> Result<()> {
    let (show, settings) = (arguments.show(), arguments.settings()?);
    let mut datapath = Datapath::load(OBJECT, &settings, &["ct"], arguments.shape())?;
    let link = Link::new()?;
    let _attached = link.attach(&mut datapath)?;
    serve(&link, &SERVER[..1])?;

    let (map, stripes) = (datapath.map("ct")?, datapath.map("keep_stripes")?);
    let mut collector = Plan::new(map.as_fd(), Field::unsigned(0, 4)).stripes(stripes.as_fd()).open()?;

    let mut live = Flow::open_pairs(&link, &SERVER[..1], PAIRS)?;
    let mut silent = Flow::open_pairs(&link, &SERVER[..1], PAIRS)?;
    let (talked, deleted) =
        arguments.talk(&mut live, &mut silent, |end| collect(&mut collector, show, end))?;
    let counts: [u64; EVENTS.len()] = datapath.counters()?;
    show.counters(&EVENTS, &counts);
    let flows = (live.len() + silent.len()) as u64;
    Verdict { flows, opened: counts[OPENED], missed: counts[MISSED] }.check(&talked)?;
    ensure!(
        deleted == silent.len() as u64,
        "{deleted} entries were deleted, where {} flows had fallen silent",
        silent.len()
    );
    speak_again(&datapath, &mut silent, show)
}

/// A round each tick, until `end`; how many entries were deleted.
fn collect(collector: &mut Collector<'_>, show: Show, end: Instant) -> Result<u64> {
    let (start, mut deleted) = (Instant::now(), 0);
    while Instant::now() < end {
        let tell = |_: &[u8], outcome| deleted += u64::from(outcome == Outcome::Deleted);
        let round: Round = collector.round(now(TICK).into(), tell)?;
        show.round("ct", start.elapsed(), &round);
        thread::sleep(TICK);
    }
    Ok(deleted)
}

/// Whoever has lost its entry in silence is no connection any more.
fn speak_again(datapath: &Datapath, silent: &mut [Flow], show: Show) -> Result<()> {
    let connections = Flow::wake(silent)?;
    thread::sleep(TICK);
    let counts: [u64; EVENTS.len()] = datapath.counters()?;
    show.say(&format!(
        "no packet of a live flow was dropped; {connections} connections that spoke again after their time had {} packets \
         dropped, and UDP flows were opened anew",
        counts[MISSED]
    ));
    ensure!(counts[MISSED] >= connections, "packets of connections without an entry were let through");
    Ok(())
}
