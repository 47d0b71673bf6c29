// SPDX-License-Identifier: MIT OR Apache-2.0
//! A map type either has both operations or says `-EOPNOTSUPP` and is left as it was. The hash has them, and the LRU hash;
//! in the series `rfc` the hash alone, and only deletes.

mod others;

use std::fs::File;
use std::net::UdpSocket;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use anyhow::{Context as _, Result, anyhow};
use cmpdel_uapi::Map;
use cmpdel_uapi::bindings as abi;
use cmpdel_uapi_raw::{Command, Create, Errno, Ptr, Single, WHOLE_ATTR, map_create, update};
use libbpf_rs::btf::Btf;
use libbpf_rs::btf::types::Enum;
use libbpf_rs::{MapCore as _, MapFlags, MapHandle};
use rustix::process::{PidfdFlags, getpid, pidfd_open};

use crate::errno::{EINVAL, EOPNOTSUPP};
use crate::fixture::has_updates;
use crate::objects::make_map;
use crate::series::Series;
use crate::skeletons::map_types::MapTypesSkelBuilder;
use crate::verdict::{On, Test, Verdict};
use crate::{Context, Kernel};

pub use self::others::{Other, others};

/// How a map of a type is made.
enum Make {
    /// Key size, value size, entries, flags.
    Plain(u32, u32, u32, u32),
    /// With a map inside.
    Outer,
    /// From `map_types.bpf.c`, under the row's name.
    Object,
    /// Offloaded to the first device.
    Device,
}

/// What goes into a map before the test, as far as user space can put something there.
enum Fill {
    /// Plain bytes.
    Bytes,
    /// Plain bytes for each possible CPU.
    PerCpu,
    /// A number that means something to the type: an interface, the length of a queue.
    Number(u32),
    /// A value without a key.
    Push,
    /// The fd of another map as value.
    InnerMap,
    /// The fd of a socket as value.
    Socket,
    /// Plain bytes, under the fd of what the storage belongs to.
    Owned(fn() -> Result<OwnedFd>),
    /// Nothing: only programs, or other subsystems, put something there.
    Nothing,
}

struct Row {
    name: &'static str,
    map_type: u32,
    make: Make,
    fill: Fill,
    /// In which series it has the operation; in `v3`, if in `rfc`.
    since: Option<Series>,
}

const fn row(name: &'static str, map_type: u32, make: Make, fill: Fill) -> Row {
    Row { name, map_type, make, fill, since: None }
}

const fn supported(name: &'static str, flags: u32) -> Row {
    Row {
        name,
        map_type: abi::BPF_MAP_TYPE_HASH,
        make: Make::Plain(4, 8, 4, flags),
        fill: Fill::Bytes,
        since: Some(Series::Rfc),
    }
}

const fn lru(name: &'static str, entries: u32, flags: u32) -> Row {
    Row {
        name,
        map_type: abi::BPF_MAP_TYPE_LRU_HASH,
        make: Make::Plain(4, 8, entries, flags),
        fill: Fill::Bytes,
        since: Some(Series::V3),
    }
}

impl Row {
    /// Whether the series of this kernel has the operation for it.
    fn has_it(&self) -> bool {
        match self.since {
            Some(Series::Rfc) => true,
            Some(Series::V3) => Series::of_this_kernel() == Series::V3,
            None => false,
        }
    }

    fn answers(&self, kernel: Kernel, command: Command) -> Answers {
        let unknown = match command {
            Command::Delete => kernel == Kernel::Base,
            Command::Update => !has_updates(kernel),
        };
        match (unknown, self.has_it()) {
            (true, _) => Answers { differs: EINVAL, equal: Err(EINVAL) },
            (false, false) => Answers { differs: EOPNOTSUPP, equal: Err(EOPNOTSUPP) },
            (false, true) => Answers { differs: Series::of_this_kernel().differs(), equal: Ok(()) },
        }
    }
}

/// Every type of `enum bpf_map_type`, and variants of some.
const ROWS: &[Row] = &[
    supported("hash", 0),
    supported("hash_no_prealloc", abi::BPF_F_NO_PREALLOC),
    supported("hash_zero_seed", abi::BPF_F_ZERO_SEED),
    supported("hash_read_only_for_programs", abi::BPF_F_RDONLY_PROG),
    row("hash_offloaded", abi::BPF_MAP_TYPE_HASH, Make::Device, Fill::Nothing),
    row("array", abi::BPF_MAP_TYPE_ARRAY, Make::Plain(4, 8, 4, 0), Fill::Bytes),
    row("prog_array", abi::BPF_MAP_TYPE_PROG_ARRAY, Make::Plain(4, 4, 4, 0), Fill::Nothing),
    row("perf_event_array", abi::BPF_MAP_TYPE_PERF_EVENT_ARRAY, Make::Plain(4, 4, 4, 0), Fill::Nothing),
    row("percpu_hash", abi::BPF_MAP_TYPE_PERCPU_HASH, Make::Plain(4, 8, 4, 0), Fill::PerCpu),
    row("percpu_array", abi::BPF_MAP_TYPE_PERCPU_ARRAY, Make::Plain(4, 8, 4, 0), Fill::PerCpu),
    row("stack_trace", abi::BPF_MAP_TYPE_STACK_TRACE, Make::Plain(4, 80, 4, 0), Fill::Nothing),
    row("cgroup_array", abi::BPF_MAP_TYPE_CGROUP_ARRAY, Make::Plain(4, 4, 4, 0), Fill::Nothing),
    lru("lru_hash", 4, 0),
    lru("lru_hash_no_common_lru", 64, abi::BPF_F_NO_COMMON_LRU),
    row("lru_percpu_hash", abi::BPF_MAP_TYPE_LRU_PERCPU_HASH, Make::Plain(4, 8, 4, 0), Fill::PerCpu),
    row("lpm_trie", abi::BPF_MAP_TYPE_LPM_TRIE, Make::Plain(8, 8, 4, abi::BPF_F_NO_PREALLOC), Fill::Bytes),
    row("array_of_maps", abi::BPF_MAP_TYPE_ARRAY_OF_MAPS, Make::Outer, Fill::InnerMap),
    row("hash_of_maps", abi::BPF_MAP_TYPE_HASH_OF_MAPS, Make::Outer, Fill::InnerMap),
    row("devmap", abi::BPF_MAP_TYPE_DEVMAP, Make::Plain(4, 4, 4, 0), Fill::Number(1)),
    row("sockmap", abi::BPF_MAP_TYPE_SOCKMAP, Make::Plain(4, 8, 4, 0), Fill::Socket),
    row("cpumap", abi::BPF_MAP_TYPE_CPUMAP, Make::Plain(4, 4, 2, 0), Fill::Number(64)),
    row("xskmap", abi::BPF_MAP_TYPE_XSKMAP, Make::Plain(4, 4, 4, 0), Fill::Nothing),
    row("sockhash", abi::BPF_MAP_TYPE_SOCKHASH, Make::Plain(4, 8, 4, 0), Fill::Socket),
    row("cgroup_storage", abi::BPF_MAP_TYPE_CGROUP_STORAGE, Make::Plain(16, 8, 0, 0), Fill::Nothing),
    row("reuseport_sockarray", abi::BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, Make::Plain(4, 8, 4, 0), Fill::Nothing),
    row(
        "percpu_cgroup_storage",
        abi::BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE,
        Make::Plain(16, 8, 0, 0),
        Fill::Nothing,
    ),
    row("queue", abi::BPF_MAP_TYPE_QUEUE, Make::Plain(0, 8, 4, 0), Fill::Push),
    row("stack", abi::BPF_MAP_TYPE_STACK, Make::Plain(0, 8, 4, 0), Fill::Push),
    row("sk_storage", abi::BPF_MAP_TYPE_SK_STORAGE, Make::Object, Fill::Owned(socket)),
    row("devmap_hash", abi::BPF_MAP_TYPE_DEVMAP_HASH, Make::Plain(4, 4, 4, 0), Fill::Number(1)),
    row("struct_ops", abi::BPF_MAP_TYPE_STRUCT_OPS, Make::Object, Fill::Nothing),
    row("ringbuf", abi::BPF_MAP_TYPE_RINGBUF, Make::Plain(0, 0, 4096, 0), Fill::Nothing),
    row("inode_storage", abi::BPF_MAP_TYPE_INODE_STORAGE, Make::Object, Fill::Owned(inode)),
    row("task_storage", abi::BPF_MAP_TYPE_TASK_STORAGE, Make::Object, Fill::Owned(task)),
    row("bloom_filter", abi::BPF_MAP_TYPE_BLOOM_FILTER, Make::Plain(0, 8, 4, 0), Fill::Push),
    row("user_ringbuf", abi::BPF_MAP_TYPE_USER_RINGBUF, Make::Plain(0, 0, 4096, 0), Fill::Nothing),
    row("cgrp_storage", abi::BPF_MAP_TYPE_CGRP_STORAGE, Make::Object, Fill::Owned(cgroup)),
    row("arena", abi::BPF_MAP_TYPE_ARENA, Make::Plain(0, 0, 1, abi::BPF_F_MMAPABLE), Fill::Nothing),
    row("insn_array", abi::BPF_MAP_TYPE_INSN_ARRAY, Make::Plain(4, 16, 4, 0), Fill::Nothing),
    row("rhash", abi::BPF_MAP_TYPE_RHASH, Make::Plain(4, 8, 4, abi::BPF_F_NO_PREALLOC), Fill::Bytes),
];

pub fn tests() -> Vec<Test> {
    let mut tests: Vec<_> = ROWS
        .iter()
        .map(|row| {
            let promise = if row.since.is_some() {
                "updates_and_deletes_on_a_match"
            } else {
                "is_refused_and_unchanged"
            };
            Test::new(format!("map_types::{}_{promise}", row.name), On::Both, |context| run_row(row, context))
        })
        .collect();
    tests.push(Test::new("map_types::are_all_tested", On::Both, |_| all_are_tested()));
    tests
}

/// The running kernel's own enum against the table.
fn all_are_tested() -> Result<Verdict> {
    let btf = Btf::from_vmlinux().context("cannot read the kernel's BTF")?;
    let types: Enum<'_> =
        btf.type_by_name("bpf_map_type").context("no enum bpf_map_type in the kernel's BTF")?;
    let mut known = 0;
    let mut missing = Vec::new();
    for member in types.iter() {
        let name = member.name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let value = u32::try_from(member.value).context("a map type below zero")?;
        if ["BPF_MAP_TYPE_UNSPEC", "__MAX_BPF_MAP_TYPE"].contains(&name.as_str()) {
            continue;
        }
        known += 1;
        if !ROWS.iter().any(|row| row.map_type == value) {
            missing.push(format!("{name} ({value})"));
        }
    }
    Ok(match (known, missing.is_empty()) {
        (0, _) => Verdict::Fail("enum bpf_map_type has no members".into()),
        (_, false) => Verdict::Fail(format!("no row for {}", missing.join(", "))),
        (known, true) => Verdict::Pass(format!("{known} names")),
    })
}

fn run_row(row: &Row, context: &Context) -> Result<Verdict> {
    let map = match make(row) {
        Ok(map) => map,
        Err(error) => return Ok(Verdict::Skip(format!("this kernel makes no such map: {error:#}"))),
    };
    let (key, filled) = match fill(row, &map) {
        Ok((key, _)) if matches!(row.fill, Fill::Nothing) => (key, "empty".into()),
        Ok((key, _)) => (key, "with an entry".into()),
        Err(error) => (first_key(&map), format!("empty: {error:#}")),
    };
    let before = observe(&map, &key);
    let value = vec![0x77; map.value_size() as usize];
    let try_window = |command, expected: &[u8]| {
        let delete = Single::compare(map.as_fd().as_raw_fd(), &key, 0, expected);
        let call = if command == Command::Update { delete.updating(&value) } else { delete };
        let key = if key.is_empty() { Ptr::Null } else { call.key };
        Single { key, ..call }.send(WHOLE_ATTR)
    };
    let mut seen = Vec::new();
    let mut now = before;
    for command in [Command::Update, Command::Delete] {
        let (equal, right) = (now.window(), row.answers(context.kernel, command));
        let different: Vec<u8> = equal.iter().map(|byte| !byte).collect();
        let answer = try_window(command, &different);
        if answer != Err(right.differs) {
            seen.push(format!(
                "{command:?}: {answer:?} instead of {} for a window that differs",
                right.differs
            ));
        }
        if observe(&map, &key) != now {
            seen.push(format!("{command:?}: a window that differs changed the map"));
        }
        let answer = try_window(command, &equal);
        if answer != right.equal {
            seen.push(format!(
                "{command:?}: {answer:?} instead of {:?} for a window that is equal",
                right.equal
            ));
        }
        let after = observe(&map, &key);
        let wanted = match (right.equal, command) {
            (Err(_), _) => now,
            (Ok(()), Command::Delete) => Seen::Value(None),
            (Ok(()), Command::Update) => Seen::Value(Some(value.clone())),
        };
        if after != wanted {
            seen.push(format!("{command:?}: {after:?} instead of {wanted:?}"));
        }
        now = after;
    }
    Ok(if seen.is_empty() { Verdict::Pass(filled) } else { Verdict::Fail(seen.join(", ")) })
}

/// What a map should say.
struct Answers {
    differs: Errno,
    equal: Result<(), Errno>,
}

fn make(row: &Row) -> Result<MapHandle> {
    let inner;
    let mut create = Create { map_type: row.map_type, name: row.name, ..Create::default() };
    match row.make {
        Make::Object => return make_map(MapTypesSkelBuilder::default(), row.name),
        Make::Plain(key_size, value_size, max_entries, flags) => {
            create = Create { key_size, value_size, max_entries, flags, ..create };
        }
        Make::Outer => {
            inner = plain_map()?;
            let inner_map_fd = inner.as_raw_fd();
            create = Create { key_size: 4, value_size: 4, max_entries: 4, inner_map_fd, ..create };
        }
        Make::Device => create = Create { key_size: 4, value_size: 8, max_entries: 4, ifindex: 1, ..create },
    }
    let fd = map_create(&create).map_err(|errno| anyhow!("{errno}"))?;
    let id = Map::new(fd.as_fd())?.info().id;
    MapHandle::from_map_id(id).context("cannot open the map by its id")
}

fn plain_map() -> Result<OwnedFd, Errno> {
    map_create(&Create {
        map_type: abi::BPF_MAP_TYPE_HASH,
        key_size: 4,
        value_size: 8,
        max_entries: 4,
        ..Create::default()
    })
}

/// The key of the entry, and what must live as long as the entry shall.
fn fill(row: &Row, map: &MapHandle) -> Result<(Vec<u8>, Option<OwnedFd>)> {
    let key = first_key(map);
    let bytes = |len: usize| -> Vec<u8> { (0xa0..).take(len).collect() };
    let value_size = map.value_size() as usize;
    let put = |key: &[u8], value: &[u8]| update(map.as_fd(), key, value, abi::BPF_ANY.into());
    let mut keep = None;
    let mut key_of_entry = key.clone();
    match row.fill {
        Fill::Nothing => {}
        Fill::Bytes => put(&key, &bytes(value_size))?,
        Fill::PerCpu => put(&key, &bytes(8).repeat(libbpf_rs::num_possible_cpus()?))?,
        Fill::Number(number) => put(&key, &number.to_ne_bytes())?,
        Fill::Push => map.update(&[], &bytes(value_size), MapFlags::ANY)?,
        Fill::InnerMap => put(&key, &plain_map()?.as_raw_fd().to_ne_bytes())?,
        Fill::Socket => {
            let socket = keep.insert(socket()?);
            put(&key, &i64::from(socket.as_raw_fd()).to_ne_bytes())?;
        }
        Fill::Owned(owner) => {
            let owner = keep.insert(owner()?);
            key_of_entry = owner.as_raw_fd().to_ne_bytes().to_vec();
            put(&key_of_entry, &bytes(value_size))?;
        }
    }
    Ok((key_of_entry, keep))
}

/// Key or index 1; in a trie, a prefix of one bit.
fn first_key(map: &MapHandle) -> Vec<u8> {
    (0..map.key_size()).map(|i| u8::from(i == 0)).collect()
}

fn socket() -> Result<OwnedFd> {
    Ok(UdpSocket::bind("0.0.0.0:0").context("cannot bind a socket")?.into())
}

fn inode() -> Result<OwnedFd> {
    Ok(File::open("/dev/null")?.into())
}

fn task() -> Result<OwnedFd> {
    pidfd_open(getpid(), PidfdFlags::empty()).context("cannot open a pidfd")
}

fn cgroup() -> Result<OwnedFd> {
    Ok(File::open("/sys/fs/cgroup").context("no cgroup file system")?.into())
}

/// What user space can see of the entry.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Value(Option<Vec<u8>>),
    PerCpu(Option<Vec<Vec<u8>>>),
    Member(bool),
    Error(String),
}

impl Seen {
    /// Expected bytes that equal what is seen, or zeroes.
    fn window(&self) -> Vec<u8> {
        let first = match self {
            Self::Value(Some(value)) => value.get(..4),
            Self::PerCpu(Some(values)) => values.first().and_then(|value| value.get(..4)),
            _ => None,
        };
        first.unwrap_or(&[0; 4]).to_vec()
    }
}

fn observe(map: &MapHandle, key: &[u8]) -> Seen {
    let seen = if map.map_type().is_percpu() {
        map.lookup_percpu(key, MapFlags::ANY).map(Seen::PerCpu)
    } else if map.map_type().is_bloom_filter() {
        let pushed: Vec<u8> = (0xa0..).take(map.value_size() as usize).collect();
        map.lookup_bloom_filter(&pushed).map(Seen::Member)
    } else {
        map.lookup(key, MapFlags::ANY).map(Seen::Value)
    };
    seen.unwrap_or_else(|error| Seen::Error(error.to_string()))
}
