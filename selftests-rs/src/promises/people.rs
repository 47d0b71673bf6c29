// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cmpdel` takes what people type and paste, of a map that clang made; what could be meant in two ways deletes nothing.

use std::os::fd::AsFd as _;

use anyhow::{Context as _, Result};
use cmpdel_uapi::{Map, Snapshot};
use cmpdel_uapi_raw::update;
use libbpf_rs::{MapCore as _, MapHandle};

use crate::cmpdel::{DELETED, KEPT, NO_SUCH_KEY, Run, UNSUPPORTED, USAGE};
use crate::objects::make_map;
use crate::skeletons::owners::OwnersSkelBuilder;
use crate::verdict::{On, Tally, Test, Verdict};
use crate::{Context, Kernel};

pub fn tests() -> Vec<Test> {
    vec![
        Test::new("people::keys_and_values_are_taken_as_they_are_typed_and_pasted", On::Both, typed),
        Test::new("people::a_wrong_clock_deletes_nothing", On::Both, clocks),
        Test::new("people::only_what_meets_the_conditions_is_collected", On::Both, conditions),
        Test::new("people::each_key_is_told_with_what_became_of_it", On::Series, keys),
    ]
}

/// Entries 1 to `entries` of `owners.bpf.c`: from 10.0.0.N, port 80, protocol 6 (17 where N is even), netns 1, client 2, tail 3;
/// `bash`, expires 1000, dport 80, closing, seen `seen`.
struct Owners(MapHandle);

impl Owners {
    fn new(entries: u8, seen: u64) -> Result<Self> {
        let owners = Self(make_map(OwnersSkelBuilder::default(), "owners")?);
        for number in 1..=entries {
            let flags = if cfg!(target_endian = "little") { 2 << 1 | 1 } else { 1 << 7 | 2 };
            let mut key = [0; 24];
            key[..4].copy_from_slice(&[10, 0, 0, number]);
            key[16..21].copy_from_slice(&[0, 80, if number % 2 == 0 { 17 } else { 6 }, flags, 3]);
            let mut value = [0; 32];
            value[..14].copy_from_slice(b"bash\0\0\0\0\x00\x00\x03\xe8\x00\x50");
            value[16..20].copy_from_slice(&1_u32.to_ne_bytes());
            value[24..].copy_from_slice(&seen.to_ne_bytes());
            update(owners.0.as_fd(), &key, &value, 0).context("cannot put an entry")?;
        }
        Ok(owners)
    }

    fn run(&self, context: &Context, first: &[&str], more: &[&str]) -> Result<Run> {
        let id = self.0.info()?.info.id.to_string();
        let all: Vec<&str> = first.iter().copied().chain(["--id", &id]).chain(more.iter().copied()).collect();
        Run::new(context, &all)
    }

    fn left(&self) -> Result<usize> {
        let map = Map::new(self.0.as_fd())?;
        let (mut walk, mut snapshot, mut count) = (map.walk(64)?, Snapshot::default(), 0);
        while walk.next_into(&mut snapshot)? {
            count += snapshot.len();
        }
        Ok(count)
    }
}

/// What the kernel says where the series is; what is found out without asking it is the same everywhere.
fn unless_base(context: &Context, code: i32) -> i32 {
    if context.kernel == Kernel::Base && code != USAGE { UNSUPPORTED } else { code }
}

const KEY: &str =
    r#"{"src": "0x0a000001", "port": 80, "proto": 6, "netns": 1, "client": 2, "tail": 3, "pad": [0, 0, 0]}"#;
const OTHER: &str = r#"{"srcv6": ["0x0a000002", 0, 0, 0], "port": 80, "proto": 6, "netns": 1, "client": 2, "tail": 3, "pad": [0, 0, 0]}"#;
const CONTRADICTION: &str = r#"{"src": 1, "srcv6": [2, 0, 0, 0], "port": 80, "proto": 6, "netns": 1, "client": 2, "tail": 3, "pad": [0, 0, 0]}"#;
const VALUE: &str = r#"{"comm": "bash", "expires": 1000, "dport": 80, "rounds": 0, "state": "STATE_CLOSING", "unused": 0, "seen": 7}"#;

fn typed(context: &Context) -> Result<Verdict> {
    let rows: [(i32, &str, &[&str]); 18] = [
        (DELETED, KEY, &["--field", "dport", "--expect", "80"]),
        (DELETED, KEY, &["--field", "dport", "--expect", "u16be:80"]),
        (KEPT, KEY, &["--field", "dport", "--expect", "81"]),
        (USAGE, KEY, &["--field", "dport", "--expect", "u16:80"]),
        (DELETED, KEY, &["--field", "expires", "--expect", "1000"]),
        (DELETED, KEY, &["--field", "state", "--expect", "STATE_CLOSING"]),
        (KEPT, KEY, &["--field", "state", "--expect", "STATE_OPEN"]),
        (DELETED, KEY, &["--field", "comm", "--expect", "bash"]),
        (KEPT, KEY, &["--field", "comm", "--expect", "text:42"]),
        (USAGE, KEY, &["--field", "comm", "--expect", "10 20"]),
        (DELETED, KEY, &["--expect", VALUE]),
        (DELETED, KEY, &["--expect", r#"{"key": {"proto": 6}, "value": {"comm": "bash"}}"#]),
        (USAGE, KEY, &["--expect", r#"{"key": {"proto": 17}, "value": {"comm": "bash"}}"#]),
        (DELETED, KEY, &["--offset", "0", "--expect", r#"["0x62", "0x61", "0x73", "0x68"]"#]),
        (USAGE, KEY, &["--offset", "0", "--expect", "10"]),
        (USAGE, CONTRADICTION, &["--field", "dport", "--expect", "80"]),
        (NO_SUCH_KEY, OTHER, &["--field", "dport", "--expect", "80"]),
        (USAGE, r#"{"port": 80}"#, &["--field", "dport", "--expect", "80"]),
    ];
    let mut tally = Tally::default();
    for (code, key, more) in rows {
        let owners = Owners::new(1, 7)?;
        let run = owners.run(context, &["--key", key], more)?;
        let code = unless_base(context, code);
        let right = run.code == Some(code) && (owners.left()? == 0) == (code == DELETED);
        tally.case(
            more.join(" "),
            (!right).then(|| format!("exit {:?} instead of {code}: {}", run.code, run.said())),
        );
    }
    Ok(tally.verdict())
}

fn clocks(context: &Context) -> Result<Verdict> {
    const WALL: &str = "1790000000000000000";
    let booted: u64 = std::fs::read_to_string("/proc/uptime")?
        .split(['.', ' '])
        .next()
        .and_then(|seconds| seconds.parse().ok())
        .context("/proc/uptime has no number")?;
    let rows: [(i32, &[&str]); 10] = [
        (USAGE, &["--offset", "24", "--type", "u64", "--now", WALL, "--older-than", "300000000000"]),
        (USAGE, &["--field", "seen", "--clock", "realtime", "--older-than", "5m"]),
        (USAGE, &["--field", "seen", "--clock", "monotonic", "--older-than", "0"]),
        (USAGE, &["--field", "seen", "--clock", "monotonic", "--older-than", "300"]),
        (USAGE, &["--field", "seen", "--older-than", "5m"]),
        (USAGE, &["--field", "expires", "--older-than", "2000"]),
        (USAGE, &["--offset", "8", "--type", "u32", "--older-than", "2000"]),
        (USAGE, &["--offset", "12", "--type", "u64", "--older-than", "5"]),
        (0, &["--field", "seen", "--clock", "monotonic", "--older-than", "5m"]),
        (0, &["--field", "expires", "--older-than", "1000"]),
    ];
    let mut tally = Tally::default();
    for (code, more) in rows {
        let owners = Owners::new(20, booted * 1_000_000_000)?;
        let run = owners.run(context, &["gc"], more)?;
        let (code, left) = (unless_base(context, code), owners.left()?);
        let right = run.code == Some(code) && left == 20;
        tally.case(
            more.join(" "),
            (!right).then(|| format!("exit {:?}, {left} left: {}", run.code, run.said())),
        );
    }
    // Its control: the same, and told to go on.
    let owners = Owners::new(20, booted * 1_000_000_000)?;
    let run = owners.run(context, &["gc"], &["--field", "expires", "--older-than", "2000", "--force"])?;
    let (code, left) = (unless_base(context, 0), owners.left()?);
    let right = run.code == Some(code) && left == if code == 0 { 0 } else { 20 };
    tally.case("--force", (!right).then(|| format!("exit {:?}, {left} left: {}", run.code, run.said())));
    Ok(tally.verdict())
}

fn conditions(context: &Context) -> Result<Verdict> {
    let rows: [(i32, usize, &[&str]); 7] = [
        (0, 10, &["--where", "key.proto=17", "--force"]),
        (0, 20, &["--where", "key.proto=1"]),
        (0, 10, &["--where", "key.proto!=17", "--where", "value.state=STATE_CLOSING", "--force"]),
        (0, 20, &["--where", "value.state=STATE_OPEN"]),
        (0, 0, &["--where", "value.comm=bash", "--force"]),
        (0, 20, &["--where", "key.client=3"]),
        (USAGE, 20, &["--where", "key.nope=3"]),
    ];
    let mut tally = Tally::default();
    for (code, left, more) in rows {
        let owners = Owners::new(20, 7)?;
        let all: Vec<&str> =
            ["--field", "expires", "--older-than", "2000"].iter().chain(more).copied().collect();
        let run = owners.run(context, &["gc"], &all)?;
        let code = unless_base(context, code);
        let wanted = if code == UNSUPPORTED { 20 } else { left };
        let there = owners.left()?;
        let right = run.code == Some(code) && there == wanted;
        tally.case(
            more.join(" "),
            (!right).then(|| format!("exit {:?}, {there} left: {}", run.code, run.said())),
        );
    }
    let owners = Owners::new(20, 0)?;
    let run = owners.run(context, &["gc"], &["--field", "seen", "--older-than", "5", "--zero-is-never"])?;
    let right = run.code == Some(unless_base(context, 0)) && owners.left()? == 20;
    tally.case("--zero-is-never", (!right).then(|| run.said()));
    Ok(tally.verdict())
}

fn keys(context: &Context) -> Result<Verdict> {
    let owners = Owners::new(20, 7)?;
    let arguments =
        ["--field", "expires", "--older-than", "2000", "--where", "key.proto=17", "--force", "--keys"];
    let run = owners.run(context, &["gc"], &arguments)?;
    let lines: Vec<serde_json::Value> =
        run.stdout.lines().map(serde_json::from_str).collect::<Result<_, _>>().context("no JSON lines")?;
    let deleted = lines.iter().filter(|line| line["outcome"] == "deleted").count();
    let mut tally = Tally::default();
    tally.case("a line for each", (deleted != 10).then(|| format!("{deleted} lines: {}", run.said())));
    let last = lines.last().is_some_and(|line| line["outcome"] == "collected" && line["deleted"] == 10);
    tally.case("the summary is the last", (!last).then(|| run.said()));
    Ok(tally.verdict())
}
