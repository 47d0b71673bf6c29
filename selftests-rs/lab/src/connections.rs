// SPDX-License-Identifier: MIT OR Apache-2.0
//! Real connections through the datapath while a collector runs, as the report from the field has it: clients that use
//! source ports again, and a connection that breaks because its entry was deleted after it had been reopened.
//!
//! Only the entries of closing connections ever expire here; a client opens the next connection from the same port within
//! milliseconds of that. Whether the collector removes the entry before the SYN or not at all, the connection works: the
//! datapath creates the entry or reopens it. It breaks if, and only if, an entry goes away after the SYN.

mod client;
mod link;
mod netlink;
mod noted;
mod server;

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};
use approaches::{Column, Refresh};
use libbpf_rs::{Xdp, XdpFlags};
use results::races::Connections;

use crate::claims::Counted;
use crate::collector::Collector;
use crate::datapath::{Datapath, MapKind, Settings, object_for};
use crate::layout::TICK;
use crate::load::Denied;
use client::{Client, Close, Tally};

pub use client::WRONG_DATA;
use link::{Link, SERVER};
use noted::Noted;
pub use noted::Sums;
use server::Server;

/// Ticks are milliseconds: a thread sets the clock.
const TICK_LENGTH: Duration = Duration::from_millis(1);

/// Ticks that an entry in use has left. No connection lives so long: what expires is closed.
const TIMEOUT: u32 = 100_000;

/// Ticks that a closing entry has left.
const CLOSING_TIMEOUT: u32 = 40;

/// Clients. More of them are more connections, and more threads for an emulated CPU to switch between.
const CLIENTS: u16 = 64;

/// Source ports of each, of which it uses one until a connection from it breaks.
const PORTS: u16 = 512;
const FIRST_PORT: u16 = 16_384;
/// Of those, the ones that a run begins with.
const FEW_PORTS: u16 = 16;

/// Between two connections of a client: around the time in which its entry expires and a collector's round sees that. The
/// narrower, the more of them meet a collector between its look and its delete.
const REST: Range<Duration> = Duration::from_millis(39)..Duration::from_millis(47);

/// Connections without a collector, before those with one.
const CONTROL: Duration = Duration::from_secs(2);

/// Until the last packets of closed connections have come: they are sent again after a fifth of a second, and after twice that.
const LAST_PACKETS: Duration = Duration::from_millis(1500);

/// Entries that each map holds. There is one for each client, and few more: a round is short, and comes by often.
const ENTRIES: u32 = 1024;

/// Before the errno with which a collector failed to remove an entry.
pub const OF_COLLECTOR: &str = "collector: ";

/// Runs connections for `seconds` through a datapath of its own, with `strategy` at work on its maps: on that of the
/// entries and then, with `snat`, on that of the source NAT mappings, as Cilium does.
///
/// # Errors
/// [`Denied`]; above all, a connection that broke before a collector ran.
pub fn run(
    discipline: Refresh,
    strategy: Column,
    map: MapKind,
    seconds: f64,
    snat: bool,
) -> Result<Connections, Denied> {
    let ran = Through::open(discipline, strategy, map, snat)?.run(CONTROL, seconds)?.connections;
    if ran.deletes == 0 {
        let error = anyhow!("the collector removed nothing in {:.1} s: nothing was tested", ran.seconds);
        return Err(error.into());
    }
    Ok(ran)
}

/// What a run came to.
pub struct Ran {
    /// In figures.
    pub connections: Connections,
    /// What the datapath noted in all runs so far: what was lost, connections that a late RST of the client's kernel closed early
    /// (it had answered a packet of the connection before, from the same port), and SYNs that met what a collector may
    /// remove. Source NAT mappings do not count.
    pub noted: Sums,
    /// Entries that a collector saw expired and found live again, where it looks twice: the race, in this run.
    pub kept: u64,
}

/// A datapath between clients and a server, attached for as long as this lives.
pub struct Through {
    link: Link,
    server: Server,
    datapath: Datapath,
    noted: Noted,
    strategy: Column,
    runs: AtomicU16,
}

impl Through {
    /// Loads and attaches it.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn open(discipline: Refresh, strategy: Column, map: MapKind, snat: bool) -> Result<Self, Denied> {
        let settings = Settings {
            timeout: TIMEOUT,
            closing_timeout: CLOSING_TIMEOUT,
            snat,
            connections: true,
            ..Settings::new(map, ENTRIES)
        };
        let datapath = Datapath::load(&object_for(discipline, strategy), settings.with(strategy.runs))?;
        let noted = Noted::of(&datapath)?;
        let link = Link::new()?;
        link.server.within(|| {
            let attached = Xdp::new(datapath.program()?).attach(link.ifindex, XdpFlags::DRV_MODE);
            attached.context("cannot attach the datapath to a veth in native mode")
        })?;
        let server = link.server.within(Server::listen)?;
        Ok(Self { link, server, datapath, noted, strategy, runs: AtomicU16::new(0) })
    }

    /// That which is attached.
    pub fn datapath(&self) -> &Datapath {
        &self.datapath
    }

    /// Whether there can be connections here, for a test: it says where rights, network namespaces, veth or IPv6 are wanting.
    /// Whatever else fails is a fault.
    #[cfg(test)]
    pub fn is_possible() -> bool {
        let settings = Settings::new(MapKind::Hash, 1);
        if crate::load::or_skipped(Datapath::load(&Refresh::Store.to_string(), settings)).is_none() {
            return false;
        }
        let link = Link::new();
        if let Err(e) = &link {
            println!("skipped: there can be no connections here: {e:#}");
        }
        link.is_ok()
    }

    /// Runs connections, first for `control` without a collector, then for `seconds` with one. The clock begins anew, so what was
    /// there before has to be gone.
    ///
    /// # Errors
    /// [`Denied`]; above all, a connection that broke before a collector ran.
    pub fn run(&self, control: Duration, seconds: f64) -> Result<Ran, Denied> {
        let Self { datapath, strategy, .. } = self;
        let snat = datapath.settings().snat;
        let maps: &[_] = if snat { &["ct4", "snat4", "ct6", "snat6"] } else { &["ct4", "ct6"] };
        let mut collectors = Vec::new();
        for map in maps {
            collectors.push(Collector::open(strategy, strategy.grace, datapath.target(map)?)?);
        }
        let mut counted = Counted::default();
        let mut round = || collectors.iter_mut().try_for_each(|collector| collector.round(&mut counted));
        let mut connections = self.connect(control, seconds, &mut round)?;
        connections.deletes = counted.removed;
        for (errno, count) in counted.errors {
            connections.errors.insert(format!("{OF_COLLECTOR}{errno}"), count);
        }
        self.noted.count_missing(datapath)?;
        Ok(Ran { connections, noted: self.noted.sums(datapath), kept: counted.kept })
    }

    /// `round` runs in this thread.
    fn connect(
        &self,
        control: Duration,
        seconds: f64,
        round: &mut dyn FnMut() -> Result<()>,
    ) -> Result<Connections> {
        let Self { link, server, datapath, .. } = self;
        let stop = AtomicBool::new(false);
        // No packet may come by the clock of the run before.
        datapath.set_clock(0);
        thread::scope(|scope| {
            scope.spawn(|| keep_time(datapath, &stop));
            let server = scope.spawn(|| server.run(&stop));
            let run = self.runs.fetch_add(1, Relaxed);
            let clients = (0..CLIENTS).map(|number| client(number, run)).collect();
            let measured = measure(link, datapath, clients, control, seconds, round);
            stop.store(true, Relaxed);
            server.join().map_err(|_| anyhow!("the server panicked"))??;
            measured
        })
    }

    /// Removes all entries once the last packets of a run have come, so that there may be another.
    ///
    /// # Errors
    /// The kernel's.
    pub fn settle(&self) -> Result<()> {
        thread::sleep(LAST_PACKETS);
        self.noted.clear(&self.datapath)
    }
}

fn measure(
    link: &Link,
    datapath: &Datapath,
    mut clients: Vec<Client>,
    alone: Duration,
    seconds: f64,
    round: &mut dyn FnMut() -> Result<()>,
) -> Result<Connections> {
    let control = datapath.control();
    let sum = || control.dropped.load(Relaxed) + control.snat_dropped.load(Relaxed);
    let before = sum();
    let dropped = || sum() - before;
    if !alone.is_zero() {
        let alone = phase(link, &mut clients, alone, &mut || {
            thread::sleep(10 * TICK_LENGTH);
            Ok(())
        })?;
        let (broken, lost) = (alone.broken(), dropped());
        ensure!(
            alone.tally.opened > 0 && broken == 0 && lost == 0,
            "without a collector {broken} of {} connections broke ({:?}) and {lost} packets were dropped: the rig is at \
             fault, not a strategy",
            alone.tally.opened,
            alone.tally.errors
        );
    }
    let with = phase(link, &mut clients, Duration::from_secs_f64(seconds), round)?;
    let connections = Connections {
        snat: datapath.settings().snat,
        opened: with.tally.opened,
        broken: with.broken(),
        dropped: dropped(),
        deletes: 0,
        seconds: with.seconds,
        errors: with.tally.errors,
    };
    Ok(connections)
}

/// Every combination of family and close, and ports that no other has. The last connections of a run may not be done with theirs
/// when the next one begins.
fn client(number: u16, run: u16) -> Client {
    let own = FIRST_PORT + number * PORTS;
    let first = own + FEW_PORTS * (run % (PORTS / FEW_PORTS / 2));
    let close = if number & 2 == 0 { Close::Reset } else { Close::Orderly };
    Client::new(SERVER[usize::from(number & 1)], close, first..own + PORTS, REST)
}

struct Phase {
    tally: Tally,
    seconds: f64,
}

impl Phase {
    fn broken(&self) -> u64 {
        self.tally.errors.values().sum()
    }
}

/// Clients run for `time`, and to the end of their last connections. So no break is put down to the phase after.
fn phase(
    link: &Link,
    clients: &mut [Client],
    time: Duration,
    meanwhile: &mut dyn FnMut() -> Result<()>,
) -> Result<Phase> {
    let start = Instant::now();
    let mut tally = Tally::default();
    let run = |client: &mut Client| {
        link.clients.enter()?;
        client.run(start + time)
    };
    thread::scope(|scope| {
        let running: Vec<_> = clients.iter_mut().map(|client| scope.spawn(|| run(client))).collect();
        while running.iter().any(|client| !client.is_finished()) {
            meanwhile()?;
        }
        for client in running {
            tally.add(client.join().map_err(|_| anyhow!("a client panicked"))??);
        }
        Ok(Phase { tally, seconds: start.elapsed().as_secs_f64() })
    })
}

/// Sets the clock until `stop`. A run is over long before the clock has gone round, which takes 17 minutes.
fn keep_time(datapath: &Datapath, stop: &AtomicBool) {
    let start = Instant::now();
    while !stop.load(Relaxed) {
        let ticks = start.elapsed().as_millis() / TICK_LENGTH.as_millis();
        datapath.set_clock(u32::try_from(ticks).unwrap_or(u32::MAX / TICK));
        thread::sleep(TICK_LENGTH);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long a careless collector has to break one: it takes a second.
    const PATIENCE: usize = 30;

    /// Packets that miss a live entry in a second at a time, up to the first one; none where there can be none.
    fn lost(refresh: Refresh, gc: &str, seconds: usize) -> Result<Option<u64>> {
        let gc = Column::named(gc).context("no such collector")?;
        if !Through::is_possible() {
            return Ok(None);
        }
        let through = Through::open(refresh, gc, MapKind::Hash, false).map_err(Denied::error)?;
        let (mut deletes, mut whole) = (0, 0);
        for second in 0..seconds {
            if second > 0 {
                through.settle()?;
            }
            let Ran { connections, noted, .. } = through.run(Duration::ZERO, 1.0).map_err(Denied::error)?;
            if noted.lost > 0 {
                return Ok(Some(noted.lost));
            }
            deletes += connections.deletes;
            whole += connections.opened - connections.broken;
        }
        ensure!(
            deletes > 0 && whole > 0,
            "{deletes} deletes and {whole} connections that worked test nothing"
        );
        Ok(Some(0))
    }

    /// The same datapath with a collector that takes its stripes, and with one that does not.
    #[test]
    fn a_careless_collector_is_seen_to_lose_and_a_careful_one_is_not() {
        let Some(careless) = lost(Refresh::HalfLifeStripe, "blind", PATIENCE).unwrap() else { return };
        assert!(careless > 0, "nothing was lost in {PATIENCE} s");
        assert_eq!(lost(Refresh::HalfLifeStripe, "prog-stripe-array", 5).unwrap(), Some(0));
    }
}
