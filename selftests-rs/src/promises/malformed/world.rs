// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a number in the place of an fd may stand for: maps that compare, in each mode; maps of every other type; files that are
//! no maps; nothing.

use std::collections::{BTreeMap, HashMap};
use std::fs::{File, OpenOptions};
use std::net::UdpSocket;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::fs::OpenOptionsExt as _;

use anyhow::{Context as _, Result};
use cmpdel_uapi::Map;
use cmpdel_uapi::bindings as abi;
use cmpdel_uapi_raw::{Create, Elements, Errno, Snapshot, fd_by_id, freeze, map_create, program};
use rustix::event::{EventfdFlags, epoll, eventfd};
use rustix::process::{PidfdFlags, getpid, pidfd_open};

use crate::Kernel;
use crate::errno::ENOENT;
use crate::fixture::{Kind, kinds};
use crate::objects::make_map;
use crate::promises::map_types::{Other, others};
use crate::skeletons::managed::ManagedSkelBuilder;

pub type Contents = BTreeMap<Vec<u8>, Vec<u8>>;

/// Bytes in keys and values. Two maps of each kind.
const SIZES: [(u32, u32); 8] = [(4, 8), (1, 1), (7, 3), (16, 20), (4, 64), (40, 100), (8, 16), (3, 600)];
/// Entries that a map holds before and after each call.
pub const ENTRIES: u8 = 8;
/// More than a call can add.
const ROOM: u32 = 64;
/// So much that nothing is evicted.
const LRU_ROOM: u32 = 1024;

/// A map that compares.
pub struct Home {
    fd: OwnedFd,
    pub kind: &'static str,
    pub key_size: u32,
    pub value_size: u32,
    lru: bool,
    /// What it holds.
    pub entries: Contents,
    pub absent: Vec<Vec<u8>>,
    pub frozen: bool,
}

/// What an fd is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Home {
        home: usize,
        read: bool,
        write: bool,
    },
    /// A map of another type.
    Other(usize),
    /// A map whose values have a lock.
    Locked,
    NoMap,
    Closed,
    /// What the program has open for itself.
    Unknown,
}

pub struct World {
    pub homes: Vec<Home>,
    others: Vec<Other>,
    targets: HashMap<i32, Target>,
    /// The same numbers in an order that is the same in each run.
    pub fds: Vec<i32>,
    /// Kept open.
    _files: Vec<OwnedFd>,
}

impl Home {
    fn new(kind: Kind, (key_size, value_size): (u32, u32), frozen: bool) -> Result<Self> {
        let shape = kind.shape(value_size);
        let fd = map_create(&Create {
            map_type: shape.map_type,
            key_size,
            value_size,
            max_entries: if shape.is_lru() { LRU_ROOM } else { ROOM },
            flags: shape.flags,
            name: "home",
            ..Create::default()
        })
        .with_context(|| format!("cannot make a map ({shape:?})"))?;
        // The same in each run.
        let mut rng = fastrand::Rng::with_seed(u64::from(key_size) << 32 | u64::from(value_size));
        let keys = (0..2 * ENTRIES).map(|number| {
            let mut key = bytes(&mut rng, key_size);
            key[0] = number;
            key
        });
        let keys: Vec<_> = keys.collect();
        let (there, absent) = keys.split_at(usize::from(ENTRIES));
        let entries = there.iter().map(|key| (key.clone(), bytes(&mut rng, value_size))).collect();
        let absent = absent.to_vec();
        let lru = shape.is_lru();
        let home = Self { fd, kind: kind.name, key_size, value_size, lru, entries, absent, frozen };
        home.put_all()?;
        Ok(home)
    }

    pub fn fd(&self) -> i32 {
        self.fd.as_raw_fd()
    }

    fn elements(&self) -> Result<Elements<'_>> {
        Elements::new(self.fd.as_fd()).context("cannot use the map")
    }

    fn put_all(&self) -> Result<()> {
        let elements = self.elements()?;
        self.entries
            .iter()
            .try_for_each(|(key, value)| elements.update(key, value, 0))
            .context("cannot fill the map")
    }

    /// Says what is wrong, where the map should hold its entries but for `changes`.
    pub fn wrong(&self, changes: &BTreeMap<Vec<u8>, Option<Vec<u8>>>) -> Result<Option<String>> {
        if self.lru {
            let keys =
                self.entries.keys().chain(changes.keys().filter(|key| !self.entries.contains_key(*key)));
            let elements = self.elements()?;
            let mut value = vec![0; self.value_size as usize];
            for key in keys {
                let there = match elements.look_up(key, &mut value, 0) {
                    Ok(()) => Some(&value),
                    Err(ENOENT) => None,
                    Err(error) => return Err(error).context("cannot look an entry up"),
                };
                let right = changes.get(key).map_or_else(|| self.entries.get(key), Option::as_ref);
                if let Some(wrong) = self.compare(key, there, right) {
                    return Ok(Some(wrong));
                }
            }
            return Ok(None);
        }
        self.wrong_in_all(changes)
    }

    /// The same, entries counted that should not be there at all.
    pub fn wrong_in_all(&self, changes: &BTreeMap<Vec<u8>, Option<Vec<u8>>>) -> Result<Option<String>> {
        let (elements, mut snapshot) = (self.elements()?, Snapshot::default());
        let position =
            elements.look_up_batch(None, ROOM + 1, &mut snapshot).context("cannot read the map")?;
        if position.is_some() {
            return Ok(Some(format!("{} holds more than {ROOM} entries", self.kind)));
        }
        let mut there: BTreeMap<&[u8], Vec<u8>> =
            snapshot.entries(&elements).map(|(key, value)| (key, value.to_vec())).collect();
        for key in self.entries.keys().chain(changes.keys().filter(|key| !self.entries.contains_key(*key))) {
            let right = changes.get(key).map_or_else(|| self.entries.get(key), Option::as_ref);
            if let Some(wrong) = self.compare(key, there.remove(key.as_slice()).as_ref(), right) {
                return Ok(Some(wrong));
            }
        }
        Ok(there.keys().next().map(|key| format!("{}: entry {key:02x?} was inserted", self.kind)))
    }

    fn compare(&self, key: &[u8], there: Option<&Vec<u8>>, right: Option<&Vec<u8>>) -> Option<String> {
        let before = self.entries.get(key);
        let what = match (there, right) {
            _ if there == right => return None,
            (None, Some(_)) => "was deleted",
            (Some(_), None) if before.is_none() => "was inserted",
            (Some(_), None) => "was kept",
            (there, _) if there == before => "was not replaced",
            _ => "has another value",
        };
        Some(format!("{}: entry {key:02x?} {what}", self.kind))
    }

    /// Puts it back to what it was before `changes`.
    pub fn restore(&self, changes: &BTreeMap<Vec<u8>, Option<Vec<u8>>>) -> Result<()> {
        if changes.is_empty() {
            return Ok(());
        }
        let elements = self.elements()?;
        for key in changes.keys() {
            let answer = match self.entries.get(key) {
                Some(value) => elements.update(key, value, 0),
                None => elements.delete(key).or_else(not_there),
            };
            answer.context("cannot put an entry back")?;
        }
        Ok(())
    }

    /// The same, whatever it holds.
    pub fn restore_all(&self) -> Result<()> {
        if self.frozen {
            return Ok(());
        }
        let elements = self.elements()?;
        while let Some(key) = self.one_too_many(&elements)? {
            elements.delete(&key).or_else(not_there)?;
        }
        self.put_all()
    }

    fn one_too_many(&self, elements: &Elements<'_>) -> Result<Option<Vec<u8>>> {
        let mut key = elements.next_key(None)?;
        while let Some(now) = &key {
            if !self.entries.contains_key(now) {
                break;
            }
            key = elements.next_key(Some(now))?;
        }
        Ok(key)
    }
}

fn not_there(errno: Errno) -> Result<(), Errno> {
    if errno == ENOENT { Ok(()) } else { Err(errno) }
}

pub fn bytes(rng: &mut fastrand::Rng, len: u32) -> Vec<u8> {
    let mut bytes = vec![0; len as usize];
    rng.fill(&mut bytes);
    bytes
}

impl World {
    pub fn new(kernel: Kernel) -> Result<Self> {
        let mut homes = Vec::new();
        let all = kinds(kernel);
        for (number, sizes) in SIZES.into_iter().enumerate() {
            homes.push(Home::new(all[number % all.len()], sizes, false)?);
        }
        homes.push(Home::new(all[0], (4, 8), true)?);
        let frozen = homes.len() - 1;
        freeze(homes[frozen].fd.as_fd()).context("cannot freeze a map")?;
        let mut world =
            Self { homes, others: others(), targets: HashMap::new(), fds: Vec::new(), _files: Vec::new() };
        for home in 0..world.homes.len() {
            let write = home != frozen;
            world.add(world.homes[home].fd(), Target::Home { home, read: true, write });
        }
        for home in [0, 2, 3] {
            let id = Map::new(world.homes[home].fd.as_fd())?.info().id;
            for (flags, read) in [(abi::BPF_F_RDONLY, true), (abi::BPF_F_WRONLY, false)] {
                let fd = fd_by_id(id, flags).context("cannot open the map in another mode")?;
                world.keep(fd, Target::Home { home, read, write: !read });
            }
        }
        for number in 0..world.others.len() {
            world.add(world.others[number].fd(), Target::Other(number));
        }
        // Where this kernel knows the lock.
        if let Ok(map) = make_map(ManagedSkelBuilder::default(), "spin_lock") {
            world.keep(map.as_fd().try_clone_to_owned()?, Target::Locked);
        }
        for file in files()? {
            world.keep(file, Target::NoMap);
        }
        // An fd that only names a file is none for the kernel.
        let path = OpenOptions::new().read(true).custom_flags(libc::O_PATH).open("/");
        world.keep(path.context("cannot open a path")?.into(), Target::Closed);
        for number in [-1, i32::MIN, i32::MAX, 1_000_000] {
            world.add(number, Target::Closed);
        }
        Ok(world)
    }

    fn add(&mut self, fd: i32, target: Target) {
        self.targets.insert(fd, target);
        self.fds.push(fd);
    }

    fn keep(&mut self, fd: OwnedFd, target: Target) {
        self.add(fd.as_raw_fd(), target);
        self._files.push(fd);
    }

    pub fn target(&self, fd: i32) -> Target {
        self.targets.get(&fd).copied().unwrap_or(Target::Unknown)
    }

    /// For texts: what a number stands for.
    pub fn name(&self, fd: i32) -> String {
        match self.target(fd) {
            Target::Other(number) => format!("a {}", self.others[number].name),
            Target::Home { home, read, write } => {
                let Home { kind, key_size, value_size, frozen, .. } = &self.homes[home];
                let mode = match (read, write) {
                    _ if *frozen => ", frozen",
                    (true, true) => "",
                    (true, false) => ", to read",
                    _ => ", to write",
                };
                format!("hash, {kind}, keys of {key_size} and values of {value_size}{mode}")
            }
            target => format!("{target:?}"),
        }
    }

    /// The key of an entry of another map, and the size of its values.
    pub fn other_key(&self, fd: i32) -> Option<(&[u8], u32)> {
        let Target::Other(number) = self.target(fd) else { return None };
        self.others.get(number).map(|other| (other.key(), other.value_size))
    }

    /// What has become of the entry of a map of another type, if something has.
    pub fn changed(&self, fd: i32) -> Option<String> {
        let Target::Other(number) = self.target(fd) else { return None };
        self.others.get(number).and_then(Other::changed)
    }

    /// The same of all maps.
    pub fn wrong_anywhere(&self) -> Result<Option<String>> {
        for home in &self.homes {
            if let Some(wrong) = home.wrong_in_all(&BTreeMap::new())? {
                return Ok(Some(wrong));
            }
        }
        Ok(self.others.iter().find_map(Other::changed))
    }

    /// A map that cannot be frozen at the end has a writer that was never counted off.
    pub fn freeze_all(&self) -> Option<String> {
        let homes = self.homes.iter().filter(|home| !home.frozen);
        homes
            .filter_map(|home| Some((home, freeze(home.fd.as_fd()).err()?)))
            .map(|(home, errno)| format!("{} cannot be frozen afterwards: -{errno}", home.kind))
            .next()
    }

    pub fn others(&self) -> usize {
        self.others.len()
    }
}

/// Files of many kinds.
fn files() -> Result<Vec<OwnedFd>> {
    let (reader, writer) = std::io::pipe().context("cannot make a pipe")?;
    let mut files: Vec<OwnedFd> = vec![
        File::open("/dev/null")?.into(),
        File::open("/")?.into(),
        File::open("/proc/self/status")?.into(),
        UdpSocket::bind("0.0.0.0:0").context("cannot bind a socket")?.into(),
        reader.into(),
        writer.into(),
        eventfd(0, EventfdFlags::empty()).context("cannot make an eventfd")?,
        epoll::create(epoll::CreateFlags::empty()).context("cannot make an epoll")?,
        pidfd_open(getpid(), PidfdFlags::empty()).context("cannot open a pidfd")?,
        program().context("cannot load a program")?,
    ];
    // The BPF object's BTF, where the kernel takes it.
    files.extend(cmpdel_uapi_raw::btf_load(&BTF).ok());
    Ok(files)
}

/// A BTF of nothing but an int.
const BTF: [u8; 45] = [
    0x9f, 0xeb, 1, 0, 24, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 16, 0, 0, 0, 5, 0, 0, 0, // the header
    1, 0, 0, 0, 0, 0, 0, 1, 4, 0, 0, 0, 32, 0, 0, 1, // int, signed, 32 bits
    0, b'i', b'n', b't', 0,
];
