// SPDX-License-Identifier: MIT OR Apache-2.0
//! A connection tracker with Cilium's layout (`cilium.bpf.c`) and its collectors, on real traffic over IPv4 and IPv6: those of
//! the connections, and those of the NAT mappings, which follow. As root, on Linux 6.1 or later:
//!
//! ```text
//! cargo run -p keep --example cilium
//! ```
//!
//! Flows that talk more often than half a lifetime have to live; flows that fall silent have to go, and so have their mappings.
//! It ends by itself, with 0 if that is so, and leaves nothing behind.

mod rig;

use std::collections::BTreeSet;
use std::os::fd::AsFd as _;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use keep::{Collector, Field, Outcome, Plan};
use libbpf_rs::{Map, MapCore as _};

use rig::clock::now;
use rig::datapath::Datapath;
use rig::flows::{Flow, serve};
use rig::net::{Link, SERVER};
use rig::run::{Arguments, TICK};
use rig::show::Show;
use rig::verdict::Verdict;

/// TCP and UDP flows of each family that live, and as many that fall silent.
const PAIRS: usize = 4;

/// `enum event` of the datapath.
const EVENTS: [&str; 8] = ["packets", "opened", "fresh", "refreshed", "busy", "missed", "failed", "unmapped"];
const OPENED: usize = 1;
const MISSED: usize = 5;

/// Connections, and the mappings that follow them.
const FAMILIES: [(&str, &str); 2] = [("ct4", "nat4"), ("ct6", "nat6")];
/// Where Cilium's entries have their lifetime, and the mappings of this datapath.
const CT_LIFETIME: u32 = 32;
const NAT_LIFETIME: u32 = 0;

const OBJECT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/cilium.o"));

fn main() -> ExitCode {
    rig::run::main("cilium", run)
}

fn run(arguments: Arguments) -> Result<()> {
    let (show, settings) = (arguments.show(), arguments.settings()?);
    let names: Vec<_> = FAMILIES.iter().flat_map(|&(ct, nat)| [ct, nat]).collect();
    let mut datapath = Datapath::load(OBJECT, &settings, &names, arguments.shape())?;
    let link = Link::new()?;
    let _attached = link.attach(&mut datapath)?;
    serve(&link, &SERVER)?;

    let stripes = datapath.map("keep_stripes")?;
    let maps: Vec<_> = names.iter().map(|name| datapath.map(name)).collect::<Result<_>>()?;
    let open = |map, offset| Plan::new(map, Field::unsigned(offset, 4)).stripes(stripes.as_fd()).open();
    let mut collectors = Vec::new();
    for (pair, &(name, _)) in maps.chunks_exact(2).zip(&FAMILIES) {
        let ct = open(pair[0].as_fd(), CT_LIFETIME)?;
        let nat = open(pair[1].as_fd(), NAT_LIFETIME)?;
        collectors.push(Pair { name, ct, nat, follow: BTreeSet::new(), deleted: 0, followed: 0 });
    }

    let mut live = Flow::open_pairs(&link, &SERVER, PAIRS)?;
    let mut silent = Flow::open_pairs(&link, &SERVER, PAIRS)?;
    let (talked, ()) = arguments.talk(&mut live, &mut silent, |end| collect(&mut collectors, show, end))?;
    let counts: [u64; EVENTS.len()] = datapath.counters()?;
    show.counters(&EVENTS, &counts);
    let flows = (live.len() + silent.len()) as u64;
    Verdict { flows, opened: counts[OPENED], missed: counts[MISSED] }.check(&talked)?;
    check_followed(&collectors, &maps, silent.len() as u64, show)?;

    // Whoever has lost its entry in silence is no connection any more.
    let connections = Flow::wake(&mut silent)?;
    thread::sleep(TICK);
    let counts: [u64; EVENTS.len()] = datapath.counters()?;
    ensure!(counts[MISSED] >= connections, "packets of connections without an entry were let through");
    Ok(())
}

/// The collectors of a family.
struct Pair<'a> {
    name: &'static str,
    ct: Collector<'a>,
    nat: Collector<'a>,
    /// Connections that are gone, and whose mappings are not known to be.
    follow: BTreeSet<Vec<u8>>,
    deleted: u64,
    followed: u64,
}

impl Pair<'_> {
    /// Deletes connections, then the mappings of those that it has deleted. A flow that was opened again in between has a new
    /// mapping by then, which has not expired, and is kept.
    fn round(&mut self, show: Show, at: Duration) -> Result<()> {
        let threshold = now(TICK).into();
        let Self { follow, ct, nat, .. } = self;
        let round = ct.round(threshold, |key, outcome| {
            if outcome == Outcome::Deleted {
                follow.insert(key.to_vec());
            }
        })?;
        show.round(self.name, at, &round);
        let keys = follow.clone();
        let followed = nat.round_listed(threshold, keys.iter().map(Vec::as_slice), |key, outcome| {
            // Its stripe was not to be had: the next round tries again.
            if outcome != Outcome::Busy {
                follow.remove(key);
            }
        })?;
        self.deleted += round.deleted;
        self.followed += followed.deleted;
        Ok(())
    }
}

/// A round of each family each tick, until `end`.
fn collect(collectors: &mut [Pair<'_>], show: Show, end: Instant) -> Result<()> {
    let start = Instant::now();
    while Instant::now() < end {
        for pair in &mut *collectors {
            pair.round(show, start.elapsed())?;
        }
        thread::sleep(TICK);
    }
    Ok(())
}

/// As many mappings went as connections, and those that are left are those of the connections that are left.
fn check_followed(collectors: &[Pair<'_>], maps: &[Map<'_>], silent: u64, show: Show) -> Result<()> {
    let deleted: u64 = collectors.iter().map(|pair| pair.deleted).sum();
    let followed: u64 = collectors.iter().map(|pair| pair.followed).sum();
    ensure!(deleted == silent, "{deleted} entries were deleted, where {silent} flows had fallen silent");
    ensure!(followed == deleted, "{followed} mappings followed the {deleted} entries that were deleted");
    for (pair, (ct, nat)) in maps.chunks_exact(2).zip(FAMILIES) {
        let keys = |map: &Map<'_>| map.keys().collect::<BTreeSet<_>>();
        ensure!(keys(&pair[0]) == keys(&pair[1]), "{ct} and {nat} hold other flows");
    }
    show.say(&format!(
        "no packet of a live flow was dropped; {deleted} silent flows are gone, and so are their {followed} NAT mappings"
    ));
    Ok(())
}
