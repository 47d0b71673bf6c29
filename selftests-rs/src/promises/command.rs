// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cmpdel` as people and scripts see it: exit codes, ways to name a map, and nothing ever deleted by mistake.

use std::fs;
use std::io::ErrorKind;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process;

use anyhow::{Context as _, Result};
use cmpdel_uapi::bindings as abi;
use cmpdel_uapi_raw::{Create, freeze, map_create, pin, update};
use libbpf_rs::{MapCore as _, MapFlags, MapHandle};
use rustix::mount::{MountFlags, mount};
use serde_json::Value;

use crate::cmpdel::{
    ANYTHING_ELSE, DELETED, KEPT, NO_SUCH_KEY, NOT_PERMITTED, Run, UNSUPPORTED, USAGE, command,
};
use crate::objects::make_map;
use crate::skeletons::flows::FlowsSkelBuilder;
use crate::verdict::{On, Tally, Test, Verdict};
use crate::{Context, Kernel};

pub fn tests() -> Vec<Test> {
    vec![
        Test::new("command::exit_codes_are_those_of_the_contract", On::Both, exit_codes),
        Test::new("command::a_map_is_found_by_id_name_and_path", On::Both, ways_to_the_map),
        Test::new("command::a_dry_run_says_the_same_and_deletes_nothing", On::Both, dry_runs),
        Test::new("command::a_mismatch_is_shown_by_field", On::Series, difference),
        Test::new("command::json_says_what_the_exit_code_says", On::Both, json),
        Test::new("command::the_probe_says_whether_the_kernel_carries_the_series", On::Both, probe),
        Test::new("command::says_not_permitted_to_users_without_privileges", On::Both, unprivileged),
    ]
}

/// The map of `flows.bpf.c` with one entry.
struct Flows(MapHandle);

const KEY: u32 = 5;
const HEX_KEY: &str = "05 00 00 00";
/// `struct flow`: packets 7, lifetime 42, flags 1, port 80.
const VALUE: [u8; 16] = [7, 0, 0, 0, 0, 0, 0, 0, 42, 0, 0, 0, 1, 0, 80, 0];
const HEX_VALUE: &str = "07 00 00 00 00 00 00 00 2a 00 00 00 01 00 50 00";

impl Flows {
    fn new() -> Result<Self> {
        let flows = Self(make_map(FlowsSkelBuilder::default(), "flows")?);
        flows.put()?;
        Ok(flows)
    }

    fn put(&self) -> Result<()> {
        update(self.0.as_fd(), &KEY.to_ne_bytes(), &VALUE, 0).context("cannot put the entry")
    }

    fn by_id(&self) -> Result<[String; 2]> {
        Ok(["--id".into(), self.0.info()?.info.id.to_string()])
    }

    /// What is wrong after a run that should have ended with `code`. Puts the entry back.
    fn problem(&self, run: &Run, code: i32, deleted: bool) -> Result<Option<String>> {
        let mut wrong = Vec::new();
        if run.code != Some(code) {
            wrong.push(format!("exit {:?} instead of {code}: {}", run.code, run.said()));
        }
        let there = self.0.lookup(&KEY.to_ne_bytes(), MapFlags::ANY)?;
        match there {
            None if !deleted => wrong.push("the entry was deleted".into()),
            Some(_) if deleted => wrong.push("the entry was kept".into()),
            Some(value) if value != VALUE => wrong.push("the entry has changed".into()),
            _ => {}
        }
        if deleted || !wrong.is_empty() {
            self.put()?;
        }
        Ok((!wrong.is_empty()).then(|| wrong.join(", ")))
    }
}

/// What the kernel says where the series is; elsewhere it is not there.
fn unless_base(context: &Context, code: i32) -> i32 {
    match context.kernel {
        Kernel::Series => code,
        Kernel::Base => UNSUPPORTED,
    }
}

fn exit_codes(context: &Context) -> Result<Verdict> {
    let flows = Flows::new()?;
    let by_id = flows.by_id()?;
    // What is found out without asking the kernel is the same everywhere.
    let rows: [(i32, &[&str]); 17] = [
        (DELETED, &["--key", HEX_KEY, "--expect", HEX_VALUE]),
        (DELETED, &["--key", "u32:5", "--expect", "u32:42", "--offset", "8"]),
        (DELETED, &["--key", "hex 0x05000000", "--expect", "0x2a00", "--offset", "8", "--size", "2"]),
        // Of a key that is an integer, it can be that number.
        (USAGE, &["--key", "0x05000000", "--expect", "0x2a00", "--offset", "8", "--size", "2"]),
        (DELETED, &["--key", "u32:5", "--expect", "42", "--field", "lifetime"]),
        (DELETED, &["--key", "u32:5", "--expect", r#"{"lifetime": 42}"#]),
        (KEPT, &["--key", HEX_KEY, "--expect", "u32:41", "--offset", "8"]),
        (KEPT, &["--key", HEX_KEY, "--expect", "41", "--field", "lifetime"]),
        (NO_SUCH_KEY, &["--key", "u32:6", "--expect", HEX_VALUE]),
        (USAGE, &["--key", "u32:5"]),
        (USAGE, &["--key", "u16:5", "--expect", HEX_VALUE]),
        (USAGE, &["--key", "u32:5", "--expect", "u32:42 u32:42 u32:42 u32:42 u32:42"]),
        (USAGE, &["--key", "u32:5", "--expect", "u32:42", "--offset", "13"]),
        (USAGE, &["--key", "u32:5", "--expect", "u32:42", "--offset", "4294967295"]),
        (USAGE, &["--key", "u32:5", "--expect", "", "--offset", "0"]),
        (USAGE, &["--key", "u32:5", "--expect", "42", "--field", "no_such_field"]),
        (USAGE, &["--key", "u32:5", "--expect", HEX_VALUE, "--name", "flows"]),
    ];
    let mut tally = Tally::default();
    for (code, arguments) in rows {
        let code = if code == USAGE { USAGE } else { unless_base(context, code) };
        let all: Vec<&str> = by_id.iter().map(String::as_str).chain(arguments.iter().copied()).collect();
        let problem = flows.problem(&Run::new(context, &all)?, code, code == DELETED)?;
        tally.case(arguments.join(" "), problem);
    }
    for (case, code, run) in other_maps(context)? {
        tally.case(case, flows.problem(&run, code, false)?);
    }
    freeze(flows.0.as_fd()).context("cannot freeze")?;
    let arguments = ["--key", HEX_KEY, "--expect", HEX_VALUE];
    let all: Vec<&str> = by_id.iter().map(String::as_str).chain(arguments).collect();
    let problem = flows.problem(&Run::new(context, &all)?, unless_base(context, NOT_PERMITTED), false)?;
    tally.case("frozen", problem);
    Ok(tally.verdict())
}

/// Maps that are not there, or not of the right type.
fn other_maps(context: &Context) -> Result<Vec<(&'static str, i32, Run)>> {
    let array = map_create(&Create {
        map_type: abi::BPF_MAP_TYPE_ARRAY,
        key_size: 4,
        value_size: 16,
        max_entries: 8,
        name: "other_array",
        ..Create::default()
    })?;
    update(array.as_fd(), &KEY.to_ne_bytes(), &VALUE, 0)?;
    let run = |map: [&str; 2]| {
        let [option, value] = map;
        Run::new(context, &[option, value, "--key", HEX_KEY, "--expect", HEX_VALUE])
    };
    let runs = vec![
        ("array", UNSUPPORTED, run(["--name", "other_array"])?),
        ("no such id", ANYTHING_ELSE, run(["--id", "4294967294"])?),
        ("no such name", ANYTHING_ELSE, run(["--name", "no_such_map"])?),
        ("no such path", ANYTHING_ELSE, run(["--pinned", "/sys/fs/bpf/no_such_map"])?),
    ];
    drop(array);
    Ok(runs)
}

fn ways_to_the_map(context: &Context) -> Result<Verdict> {
    let flows = Flows::new()?;
    let pinned = Pinned::new(flows.0.as_fd())?;
    let path = pinned.0.to_string_lossy().into_owned();
    let code = unless_base(context, DELETED);
    let mut tally = Tally::default();
    for map in [flows.by_id()?, ["--name".into(), "flows".into()], ["--pinned".into(), path]] {
        let [option, value] = &map;
        let run = Run::new(context, &[option, value, "--key", HEX_KEY, "--expect", HEX_VALUE])?;
        tally.case(option, flows.problem(&run, code, code == DELETED)?);
    }
    let namesake = Flows::new()?;
    let run = Run::new(context, &["--name", "flows", "--key", HEX_KEY, "--expect", HEX_VALUE])?;
    let problem = flows.problem(&run, USAGE, false)?.or(namesake.problem(&run, USAGE, false)?);
    tally.case("a name that two maps have", problem);
    Ok(tally.verdict())
}

const BPFFS: &str = "/sys/fs/bpf";

/// A pin that goes away with this.
struct Pinned(PathBuf);

impl Pinned {
    fn new(map: BorrowedFd<'_>) -> Result<Self> {
        let mounts = fs::read_to_string("/proc/self/mounts").context("cannot read /proc/self/mounts")?;
        if !mounts.lines().any(|line| line.split(' ').nth(1) == Some(BPFFS)) {
            mount("bpf", BPFFS, "bpf", MountFlags::empty(), None).context("cannot mount a bpffs")?;
        }
        let path = Path::new(BPFFS).join(format!("cmpdel_selftest_{}", process::id()));
        pin(map, &path).with_context(|| format!("cannot pin at {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // Nothing is lost if it stays: the guest goes away.
        let _ = fs::remove_file(&self.0);
    }
}

fn dry_runs(context: &Context) -> Result<Verdict> {
    let flows = Flows::new()?;
    let [option, id] = &flows.by_id()?;
    let mut tally = Tally::default();
    for (case, code, key, lifetime) in [
        ("equal", DELETED, "u32:5", "42"),
        ("differs", KEPT, "u32:5", "41"),
        ("absent", NO_SUCH_KEY, "u32:6", "42"),
    ] {
        let arguments = [option, id, "--key", key, "--field", "lifetime", "--expect", lifetime, "--dry-run"];
        let run = Run::new(context, &arguments)?;
        tally.case(case, flows.problem(&run, unless_base(context, code), false)?);
    }
    Ok(tally.verdict())
}

fn difference(context: &Context) -> Result<Verdict> {
    let flows = Flows::new()?;
    let [option, id] = &flows.by_id()?;
    // Without its letter nothing else shows that it is hex.
    let stale = format!("hex {}", HEX_VALUE.replace("2a", "29"));
    let run = Run::new(context, &[option, id, "--key", HEX_KEY, "--expect", &stale])?;
    let mut tally = Tally::default();
    tally.case("exit", flows.problem(&run, KEPT, false)?);
    for part in ["lifetime", "41", "42"] {
        let missing = (!run.stdout.contains(part)).then(|| format!("not in: {}", run.said()));
        tally.case(part, missing);
    }
    Ok(tally.verdict())
}

fn json(context: &Context) -> Result<Verdict> {
    let flows = Flows::new()?;
    let [option, id] = &flows.by_id()?;
    let mut tally = Tally::default();
    let rows = [
        ("deleted", DELETED, "u32:5", HEX_VALUE),
        ("kept", KEPT, "u32:5", "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"),
        ("absent", NO_SUCH_KEY, "u32:6", HEX_VALUE),
    ];
    for (outcome, code, key, expected) in rows {
        let code = unless_base(context, code);
        let outcome = if code == UNSUPPORTED { "unsupported" } else { outcome };
        let run = Run::new(context, &[option, id, "--key", key, "--expect", expected, "--json"])?;
        tally.case(outcome, flows.problem(&run, code, code == DELETED)?);
        let said: Value = serde_json::from_str(&run.stdout).unwrap_or_default();
        let right = said["outcome"] == outcome && said["exit_code"] == code;
        tally.case(format_args!("{outcome} in JSON"), (!right).then(|| run.said()));
    }
    Ok(tally.verdict())
}

fn probe(context: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    let run = Run::new(context, &["probe"])?;
    let wanted = unless_base(context, DELETED);
    tally.case("probe", (run.code != Some(wanted)).then(|| format!("exit {:?}: {}", run.code, run.said())));
    Ok(tally.verdict())
}

/// A user that owns nothing.
const NOBODY: u32 = 65534;

fn unprivileged(context: &Context) -> Result<Verdict> {
    let flows = Flows::new()?;
    let [option, id] = &flows.by_id()?;
    let mut command = command(context, &[option, id, "--key", HEX_KEY, "--expect", HEX_VALUE])?;
    command.uid(NOBODY).gid(NOBODY);
    let run = match Run::of(command) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            return Ok(Verdict::Skip(format!("nobody may not execute {}", context.cmpdel.display())));
        }
        run => run.context("cannot run the command as nobody")?,
    };
    let mut tally = Tally::default();
    tally.case("by id", flows.problem(&run, NOT_PERMITTED, false)?);
    Ok(tally.verdict())
}
