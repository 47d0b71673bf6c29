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
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use clap::Parser;
use keep::{Collector, Field, Means, Outcome, Plan, Round};
use libbpf_rs::MapType;

use rig::clock::now;
use rig::datapath::{Datapath, Settings, Shape};
use rig::flows::{Flow, serve};
use rig::net::{Link, SERVER};
use rig::show::Show;
use rig::verdict::Verdict;

/// Tracks connections through a veth pair of its own, and collects those that fall silent.
#[derive(Clone, Copy, Debug, Parser)]
struct Arguments {
    /// Keep entries in an LRU map
    #[arg(long)]
    lru: bool,
    /// Run for so many seconds
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u64).range(4..=3600))]
    seconds: u64,
    /// Print JSON, an object a line
    #[arg(long)]
    json: bool,
}

/// Short, for flows to expire while somebody watches.
const TICK: Duration = Duration::from_millis(250);
const LIFETIME: u32 = 8;
/// Between messages of a live flow: less than half a lifetime.
const INTERVAL: Duration = Duration::from_millis(600);
/// TCP and UDP flows that live, and as many that fall silent.
const PAIRS: usize = 8;

/// `enum event` of the datapath.
const EVENTS: [&str; 7] = ["packets", "opened", "fresh", "refreshed", "busy", "missed", "failed"];
const OPENED: usize = 1;
const MISSED: usize = 5;

const OBJECT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/conntrack.o"));

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("conntrack: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<()> {
    let show = Show { json: arguments.json };
    let settings =
        Settings { seed: keep::table::random_seed()?, tick: TICK, lifetime: LIFETIME, backends: 4 };
    let kind = if arguments.lru { MapType::LruHash } else { MapType::Hash };
    let mut datapath = Datapath::load(OBJECT, &settings, &["ct"], Shape { kind, flags: 0, entries: 4096 })?;
    let link = Link::new()?;
    let _attached = link.attach(&mut datapath)?;
    serve(&link, &SERVER[..1])?;

    let (map, stripes) = (datapath.map("ct")?, datapath.map("keep_stripes")?);
    let plan = Plan::new(map.as_fd(), Field::unsigned(0, 4)).stripes(stripes.as_fd());
    // This datapath takes stripes; where the kernel has compare-and-delete, that would do as well.
    let mut collector = plan.only(Means::Stripes).open()?;

    let mut live = Flow::open_pairs(&link, &SERVER[..1], PAIRS)?;
    let mut silent = Flow::open_pairs(&link, &SERVER[..1], PAIRS)?;
    for flow in &mut silent {
        ensure!(flow.ask(0)?, "a new flow was not answered");
    }
    show.say(&format!(
        "{} flows talk every {INTERVAL:?}, {} are silent from now on; a lifetime is {:?}",
        live.len(),
        silent.len(),
        TICK * LIFETIME
    ));
    let end = Instant::now() + Duration::from_secs(arguments.seconds);
    let (talked, deleted) = thread::scope(|scope| {
        let talking: Vec<_> =
            live.iter_mut().map(|flow| scope.spawn(move || flow.talk(INTERVAL, end))).collect();
        let deleted = collect(&mut collector, show, end);
        let talked = talking.into_iter().map(|flow| flow.join().map_err(|_| anyhow!("a flow panicked"))?);
        (talked.collect::<Result<Vec<_>>>(), deleted)
    });
    let (talked, deleted) = (talked?, deleted?);
    let counts: [u64; EVENTS.len()] = datapath.counters()?;
    show.counters(&EVENTS, &counts);
    let flows = live.len() + silent.len();
    Verdict {
        flows: flows as u64,
        opened: counts[OPENED],
        missed: counts[MISSED],
        half: TICK * LIFETIME / 2,
    }
    .check(&talked)?;
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
