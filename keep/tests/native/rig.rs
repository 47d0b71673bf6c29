// SPDX-License-Identifier: MIT OR Apache-2.0
//! The example's datapath, loaded for a test, with a clock that the test sets.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cmpdel_uapi_raw::{self as raw, Create, Errno, run_on_frame};
use keep::{Collector, Field, Means, Plan};
use libbpf_rs::{MapCore as _, MapFlags, MapHandle, MapType};

use crate::datapath::{Datapath, Settings, Shape};
use crate::frames::{Flow, flow_of};

/// The example with a clock that a test sets.
pub const STRIPED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/striped.o"));
/// The slow one, with stripes that keep nobody out.
pub const UNSTRIPED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/unstriped.o"));

/// The first, slow where others may come in between.
pub const SLOW: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/slow.o"));
/// The first, on a map that evicts what a packet has just looked up.
pub const EVICTED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/evicted.o"));
/// Likewise, but after the copy was checked; it replaces what exists alone.
pub const EXISTING: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/existing.o"));
/// Likewise, but it puts back what was evicted.
pub const RESTORED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/restored.o"));
/// The first, and beside it programs that delete what was noted.
pub const DELETES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/deletes.o"));
/// The crate's collector, slow likewise.
pub const SLOW_COLLECTOR: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/slow-collector.o"));

/// Ticks.
pub const LIFETIME: u32 = 64;
/// The clock begins here.
pub const START: u32 = 1000;
/// Stripes in the table, as stripes.h has it.
pub const STRIPES: u32 = 1024;

const BPF_F_NO_PREALLOC: u32 = 1;
const XDP_PASS: u32 = 2;

/// `enum event` of the datapath, by number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub packets: u64,
    pub opened: u64,
    pub fresh: u64,
    pub refreshed: u64,
    pub busy: u64,
    pub missed: u64,
    pub failed: u64,
}

pub fn hash(entries: u32) -> Shape {
    Shape { kind: MapType::Hash, flags: 0, entries }
}

pub fn unallocated(entries: u32) -> Shape {
    Shape { flags: BPF_F_NO_PREALLOC, ..hash(entries) }
}

pub fn lru(entries: u32) -> Shape {
    Shape { kind: MapType::LruHash, ..hash(entries) }
}

/// One test at a time: they measure who is first.
static TURN: Mutex<()> = Mutex::new(());

/// A datapath, its maps, and its clock.
pub struct Rig {
    pub settings: Settings,
    pub datapath: Datapath,
    program: OwnedFd,
    ct: OwnedFd,
    stripes: OwnedFd,
    clock: MapHandle,
    /// That the slow datapath waits where others may come in between.
    pub turns: u32,
    _turn: MutexGuard<'static, ()>,
}

impl Rig {
    /// `None`, and the reason on standard error, where no program may be loaded.
    pub fn new(object: &[u8], shape: Shape) -> Option<Self> {
        Self::with(object, shape, &["ct"])
    }

    /// With maps of these names, the first of which is that of the entries.
    pub fn with(object: &[u8], shape: Shape, maps: &[&str]) -> Option<Self> {
        let turn = turn()?;
        let settings = Settings {
            seed: keep::table::random_seed().unwrap(),
            tick: Duration::from_secs(1),
            lifetime: LIFETIME,
            // So many that each port has one of its own.
            backends: 1 << 16,
        };
        libbpf_log::keep();
        let loaded = Datapath::load(object, &settings, maps, shape);
        let mut datapath = loaded.unwrap_or_else(|error| panic!("{error:#}{}", libbpf_log::tail()));
        let fd = |name| datapath.map(name).unwrap().as_fd().try_clone_to_owned().unwrap();
        let (ct, stripes) = (fd(maps[0]), fd("keep_stripes"));
        let clock = MapHandle::try_from(&datapath.map("clock").unwrap()).unwrap();
        let program = datapath.program().unwrap().as_fd().try_clone_to_owned().unwrap();
        let rig = Self { settings, datapath, program, ct, stripes, clock, turns: 0, _turn: turn };
        rig.set_clock(START, 0);
        Some(rig)
    }

    /// Whether the frame gets through.
    pub fn passes(&self, frame: &[u8]) -> bool {
        run_on_frame(self.program.as_fd(), frame).unwrap() == XDP_PASS
    }

    /// From now on frames go through another program, which may leave the rig's alone.
    pub fn send_through(&mut self, program: OwnedFd) {
        self.program = program;
    }

    pub fn ct(&self) -> BorrowedFd<'_> {
        self.ct.as_fd()
    }

    pub fn stripes(&self) -> BorrowedFd<'_> {
        self.stripes.as_fd()
    }

    pub fn clock(&self) -> BorrowedFd<'_> {
        self.clock.as_fd()
    }

    /// No packet that begins after this reads an earlier clock, and none that has ended has read a later one.
    pub fn now(&self) -> u32 {
        clock_of(&self.clock)
    }

    /// Nothing may run.
    pub fn advance(&self, ticks: u32) {
        self.set_clock(self.now() + ticks, 0);
    }

    /// From now on each packet moves the clock on by as much.
    pub fn run_clock(&self, step: u32) {
        self.set_clock(self.now(), step);
    }

    fn set_clock(&self, now: u32, step: u32) {
        let clock = [now, step, self.turns].map(u32::to_ne_bytes).concat();
        self.clock.update(&[0; 4], &clock, MapFlags::ANY).unwrap();
    }

    pub fn counts(&self) -> Counts {
        let [packets, opened, fresh, refreshed, busy, missed, failed] = self.datapath.counters().unwrap();
        Counts { packets, opened, fresh, refreshed, busy, missed, failed }
    }

    pub fn collector(&self) -> Collector<'_> {
        collector(self.ct(), self.stripes())
    }

    /// One that is slow between what it sees and what it does.
    pub fn slow_collector(&self) -> Collector<'_> {
        let plan = Plan::new(self.ct(), Field::unsigned(0, 4)).stripes(self.stripes());
        plan.object(SLOW_COLLECTOR).open().unwrap()
    }

    /// Refreshes of the evicted datapath that would have published another flow's state.
    pub fn foreign(&self) -> u64 {
        let map = self.datapath.map("foreign").unwrap();
        u64::from_ne_bytes(map.lookup(&[0; 4], MapFlags::ANY).unwrap().unwrap().try_into().unwrap())
    }

    /// The value of each entry.
    pub fn entries(&self) -> Vec<(Flow, Vec<u8>)> {
        let map = self.datapath.map("ct").unwrap();
        let value = |key: Vec<u8>| Some((flow_of(&key), map.lookup(&key, MapFlags::ANY).unwrap()?));
        map.keys().filter_map(value).collect()
    }

    /// Each entry has the back end of its own flow. Nothing may run.
    pub fn assert_own_back_ends(&self) {
        for (flow, value) in self.entries() {
            let backend = u32::from_ne_bytes(value[8..12].try_into().unwrap());
            assert_eq!(backend, u32::from(flow), "flow {flow} has another's back end");
        }
    }

    /// Nobody holds a stripe. Nothing may run.
    pub fn assert_all_let_go(&self) {
        let map = self.datapath.map("keep_stripes").unwrap();
        let held =
            |stripe: &u32| map.lookup(&stripe.to_ne_bytes(), MapFlags::ANY).unwrap().unwrap()[..4] != [0; 4];
        let held: Vec<_> = (0..STRIPES).filter(held).collect();
        assert!(held.is_empty(), "held by nobody who is left: {held:?}");
    }

    /// Takes a stripe, or lets go of it, from user space.
    pub fn hold(&self, stripe: u32, held: bool) {
        self.write_stripe(stripe, 0, &u32::from(held).to_ne_bytes());
    }

    /// Has the table say that it is another seed's.
    pub fn reseed(&self, seed: u64) {
        (0..STRIPES).for_each(|stripe| self.write_stripe(stripe, 8, &seed.to_ne_bytes()));
    }

    fn write_stripe(&self, stripe: u32, at: usize, bytes: &[u8]) {
        let map = self.datapath.map("keep_stripes").unwrap();
        let mut value = map.lookup(&stripe.to_ne_bytes(), MapFlags::ANY).unwrap().unwrap();
        value[at..at + bytes.len()].copy_from_slice(bytes);
        map.update(&stripe.to_ne_bytes(), &value, MapFlags::ANY).unwrap();
    }
}

/// A collector of the datapath's entries. Wherever this runs, by stripes.
pub fn collector<'a>(ct: BorrowedFd<'a>, stripes: BorrowedFd<'a>) -> Collector<'a> {
    Plan::new(ct, Field::unsigned(0, 4)).stripes(stripes).only(Means::Stripes).open().unwrap()
}

/// The clock that a datapath reads.
pub fn clock_of(clock: &MapHandle) -> u32 {
    let value = clock.lookup(&[0; 4], MapFlags::ANY).unwrap().unwrap();
    u32::from_ne_bytes([value[0], value[1], value[2], value[3]])
}

/// The turn of a test that loads programs; without the right to, the reason on standard error.
pub fn turn() -> Option<MutexGuard<'static, ()>> {
    const EPERM: i32 = 1;
    const ENOSYS: i32 = 38;
    const BPF_MAP_TYPE_HASH: u32 = 1;
    let create = Create {
        map_type: BPF_MAP_TYPE_HASH,
        key_size: 4,
        value_size: 4,
        max_entries: 1,
        ..Create::default()
    };
    let skip = |reason: &str| {
        eprintln!("skipped: {reason}");
        None
    };
    match raw::map_create(&create) {
        _ if !rustix::process::geteuid().is_root() => skip("this is not root"),
        Err(errno @ Errno(EPERM | ENOSYS)) => skip(&format!("this process may not make BPF maps ({errno})")),
        Err(errno) => panic!("BPF_MAP_CREATE: {errno}"),
        Ok(_) => Some(TURN.lock().unwrap_or_else(PoisonError::into_inner)),
    }
}
