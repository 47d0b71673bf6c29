// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whole command lines: a second reader that knows no more than that `--name` stands before its value or is joined to it by `=`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

use clap::{CommandFactory as _, FromArgMatches as _};
use fastrand::Rng;

use super::generate::{mutate, number, one_of};
use super::reference::decimal;
use crate::args::{Cli, Command, Entry, MapArgs};
use crate::bytes::Given;
use crate::gc::{Age, IntType, Where};

/// An option, what stands behind it, and whether it is joined by `=`.
type Said = (&'static str, Option<OsString>, bool);
/// Each option, and its values in order.
type Options = BTreeMap<String, Vec<String>>;

const FLAGS: [&str; 7] = ["dry-run", "json", "rest-as-seen", "zero-is-never", "keys", "force", "help"];
const MAPS: [&str; 3] = ["pinned", "id", "name"];
const ENTRY: [&str; 7] = ["key", "expect", "offset", "size", "field", "dry-run", "json"];
const GC: [&str; 15] = [
    "older-than",
    "clock",
    "unit",
    "now",
    "field",
    "offset",
    "type",
    "where",
    "zero-is-never",
    "stripes",
    "reader",
    "batch",
    "keys",
    "force",
    "dry-run",
];

/// A command line, in two orders.
pub struct Line {
    pub args: Vec<OsString>,
    pub shuffled: Vec<OsString>,
    /// Whether it has slips: then only the first is one.
    pub slipped: bool,
}

fn value(random: &mut Rng, name: &str) -> Option<OsString> {
    let words: &[&str] = match name {
        "pinned" | "stripes" => &["/sys/fs/bpf/ct", "p", "-", "", "a b"],
        "name" => &["ct", "flows", "", "-x", "é"],
        "key" | "expect" | "value" => {
            &["00", "0x2a", "u32:5", "-", "@f", "-5", "10 20", "{\"a\": 1}", "[\"0x00\"]", "CT_OPEN", ""]
        }
        "field" => &["lifetime", "a.b[2].c", "", "[0]"],
        "older-than" => &["5", "5m", "1h 30m", "-10", "0", "2.5e3", "010s", "250ms"],
        "clock" => &["monotonic", "boottime", "realtime", "jiffies", "ktime", "CLOCK_REALTIME"],
        "unit" => &["ns", "us", "ms", "s", "h"],
        "type" => &["u32", "i64be", "u16be", "u24"],
        "where" => &["key.proto=17", "value.state != CT_OPEN", "value.x={\"a\": 1}", "x=1"],
        name if FLAGS.contains(&name) => return None,
        _ => return Some(number(random).into()),
    };
    Some((*one_of(random, words)).into())
}

pub fn generate(random: &mut Rng) -> Line {
    let command = *one_of(random, &["", "set", "gc"]);
    let mut names = vec![*one_of(random, &MAPS)];
    match command {
        "gc" => names.extend(["older-than", *one_of(random, &["field", "offset"])]),
        _ => names.extend(["key", "expect"]),
    }
    names.extend((command == "set").then_some("value"));
    for _ in 0..random.usize(..4) {
        names.push(*if command == "gc" { one_of(random, &GC) } else { one_of(random, &ENTRY) });
    }
    if names.contains(&"offset") && command == "gc" {
        names.push("type");
    }
    let mut options: Vec<Said> =
        names.into_iter().map(|name| (name, value(random, name), random.bool())).collect();
    if random.u32(..3) > 0 {
        // Without those that stand there twice.
        let mut seen = Vec::new();
        options.retain(|(name, ..)| {
            let is_new = !seen.contains(name);
            seen.push(*name);
            is_new || ["where", "reader"].contains(name)
        });
    }
    let mut args = write(command, &options);
    random.shuffle(&mut options);
    let shuffled = write(command, &options);
    let slipped = random.u32(..4) == 0;
    if slipped {
        slip(random, &mut args);
    }
    Line { args, shuffled, slipped }
}

fn write(command: &str, options: &[Said]) -> Vec<OsString> {
    let mut args: Vec<OsString> = vec!["cmpdel".into()];
    args.extend((!command.is_empty()).then(|| command.into()));
    for (name, value, joined) in options {
        match value {
            Some(value) if *joined => {
                let mut joined = OsString::from(format!("--{name}="));
                joined.push(value);
                args.push(joined);
            }
            value => args.extend([format!("--{name}").into()].into_iter().chain(value.clone())),
        }
    }
    args
}

fn slip(random: &mut Rng, args: &mut Vec<OsString>) {
    let at = random.usize(1..args.len());
    match random.u32(..6) {
        0 => drop(args.remove(at)),
        1 => args.insert(at, args[random.usize(1..args.len())].clone()),
        2 => args.swap(at, 1),
        3 => args.push(
            (*one_of(random, &["--", "probe", "-h", "--id", "--json=true", "x", "-j", "--dry"])).into(),
        ),
        _ => {
            let mut bytes = args[at].as_bytes().to_vec();
            mutate(random, &mut bytes);
            args[at] = OsString::from_vec(bytes);
        }
    }
}

/// The first reader, built once.
pub struct First(clap::Command);

impl First {
    pub fn new() -> Self {
        Self(Cli::command())
    }

    pub fn read(&mut self, args: &[OsString]) -> Option<(String, Options)> {
        let matches = self.0.try_get_matches_from_mut(args).ok()?;
        let read = options_of(&Cli::from_arg_matches(&matches).ok()?);
        // That is told later.
        let cannot = |values: &Vec<String>| values.iter().any(|value| value.starts_with("Err("));
        Some(read).filter(|(_, all)| !all.values().any(cannot))
    }
}

fn options_of(cli: &Cli) -> (String, Options) {
    let mut all = Options::new();
    let command = match &cli.command {
        None => {
            entry(&cli.entry, &mut all);
            ""
        }
        Some(Command::Set(set)) => {
            entry(&set.entry, &mut all);
            put(&mut all, "value", [&set.value]);
            flag(&mut all, "rest-as-seen", set.rest_as_seen);
            "set"
        }
        Some(Command::Gc(gc)) => {
            map(&gc.map, &mut all);
            put(&mut all, "older-than", [gc.older_than]);
            put(&mut all, "clock", gc.clock);
            put(&mut all, "unit", gc.unit);
            put(&mut all, "now", gc.now);
            put(&mut all, "field", &gc.field);
            put(&mut all, "offset", gc.offset);
            put(&mut all, "type", gc.int_type);
            put(&mut all, "where", &gc.conditions);
            put(&mut all, "stripes", &gc.stripes);
            put(&mut all, "reader", &gc.reader);
            put(&mut all, "batch", [gc.batch]);
            for (name, is_set) in [
                ("zero-is-never", gc.zero_is_never),
                ("keys", gc.keys),
                ("dry-run", gc.dry_run),
                ("force", gc.force),
                ("json", gc.json),
            ] {
                flag(&mut all, name, is_set);
            }
            "gc"
        }
        Some(_) => "other",
    };
    (command.into(), all)
}

fn entry(entry: &Entry, all: &mut Options) {
    map(&entry.map, all);
    put(all, "key", &entry.key);
    put(all, "expect", &entry.expect);
    put(all, "offset", entry.offset);
    put(all, "size", entry.size);
    put(all, "field", &entry.field);
    flag(all, "dry-run", entry.dry_run);
    flag(all, "json", entry.json);
}

fn map(map: &MapArgs, all: &mut Options) {
    put(all, "pinned", &map.pinned);
    put(all, "id", map.id);
    put(all, "name", &map.name);
}

fn flag(all: &mut Options, name: &str, is_set: bool) {
    put(all, name, is_set.then_some(()));
}

fn put<T: std::fmt::Debug>(all: &mut Options, name: &str, values: impl IntoIterator<Item = T>) {
    let values: Vec<String> = values.into_iter().map(|value| format!("{value:?}")).collect();
    if !values.is_empty() {
        all.insert(name.into(), values);
    }
}

/// The second reader; `None` where it is no command line.
pub fn second(args: &[OsString]) -> Option<(String, Options)> {
    let mut args = args.iter().skip(1).peekable();
    let command = args.next_if(|arg| *arg == "set" || *arg == "gc");
    let command = command.map_or(String::new(), |command| command.to_string_lossy().into_owned());
    let mut all: BTreeMap<String, Vec<OsString>> = BTreeMap::new();
    while let Some(arg) = args.next() {
        if arg == "--" && args.peek().is_none() {
            break;
        }
        let arg = arg.as_bytes().strip_prefix(b"--")?;
        let (name, joined) = match arg.iter().position(|byte| *byte == b'=') {
            Some(at) => (&arg[..at], Some(OsString::from_vec(arg[at + 1..].to_vec()))),
            None => (arg, None),
        };
        let name = std::str::from_utf8(name).ok()?;
        let value = match (FLAGS.contains(&name), joined) {
            (true, None) => OsString::new(),
            (true, Some(_)) => return None,
            (false, Some(value)) => value,
            (false, None) => args.next()?.clone(),
        };
        let values = all.entry(name.into()).or_default();
        values.push(value);
        if values.len() > 1 && !["where", "reader"].contains(&name) {
            return None;
        }
    }
    if command == "gc" {
        all.entry("batch".into()).or_insert_with(|| vec!["256".into()]);
    }
    let meant = all.iter().map(|(name, values)| {
        let values: Option<Vec<String>> = values.iter().map(|value| meaning(name, value)).collect();
        Some((name.clone(), values?))
    });
    Some((command, meant.collect::<Option<Options>>()?)).filter(|(command, all)| is_consistent(command, all))
}

fn meaning(name: &str, value: &OsString) -> Option<String> {
    if ["pinned", "stripes"].contains(&name) {
        return Some(format!("{value:?}"));
    }
    let text = value.to_str()?;
    let count = |most: i128| decimal(text).filter(|n| (0..=most).contains(n) && !text.starts_with('-'));
    Some(match name {
        name if FLAGS.contains(&name) => "()".into(),
        "name" | "field" => format!("{text:?}"),
        "id" | "offset" | "size" | "reader" => count(u32::MAX.into())?.to_string(),
        "batch" => count(65536).filter(|n| *n > 0)?.to_string(),
        "now" => decimal(text)?.to_string(),
        // What these say is tested by itself.
        "key" | "expect" | "value" => read(&Given::parse(text))?,
        "older-than" => format!("{:?}", text.parse::<Age>().ok()?),
        "type" => format!("{:?}", text.parse::<IntType>().ok()?),
        "where" => read(&text.parse::<Where>())?,
        "clock" if ["ktime", "mono", "CLOCK_MONOTONIC"].contains(&text) => "Monotonic".into(),
        "clock" if text == "CLOCK_BOOTTIME" => "Boottime".into(),
        "clock" if text == "CLOCK_REALTIME" => "Realtime".into(),
        "clock" | "unit" => {
            let known = ["monotonic", "boottime", "realtime", "ns", "us", "ms", "s"];
            let (first, rest) = text.split_at_checked(1).filter(|_| known.contains(&text))?;
            format!("{}{rest}", first.to_uppercase())
        }
        _ => return None,
    })
}

fn read<T: std::fmt::Debug>(read: &Result<T, String>) -> Option<String> {
    read.is_ok().then(|| format!("{read:?}"))
}

/// What `--help` says of options that go together, and that do not.
fn is_consistent(command: &str, all: &Options) -> bool {
    let has = |name: &str| all.contains_key(name);
    let both = |a: &str, b: &str| has(a) && has(b);
    let one_map = MAPS.iter().filter(|name| has(name)).count() == 1;
    let one_window = !both("field", "offset");
    one_map
        && one_window
        && match command {
            "gc" => {
                has("older-than")
                    && (has("field") || has("offset"))
                    && has("offset") == has("type")
                    && !both("clock", "now")
                    && (!has("reader") || has("stripes"))
            }
            command => {
                both("key", "expect") && (!has("size") || has("offset")) && (command == "set") == has("value")
            }
        }
}

/// What is wrong with how it is read, if anything is; else whether it was accepted.
pub fn judge(first: &mut First, line: &Line) -> Result<bool, String> {
    let read = first.read(&line.args);
    if let Some(read) = &read {
        let own = second(&line.args);
        if own.as_ref() != Some(read) {
            return Err(format!("it is accepted as {read:?}, and is {own:?}"));
        }
    }
    if line.slipped {
        return Ok(read.is_some());
    }
    let sorted = |read: Option<(String, Options)>| {
        read.map(|(command, mut all)| {
            all.values_mut().for_each(|values| values.sort());
            (command, all)
        })
    };
    let (read, shuffled) = (sorted(read), sorted(first.read(&line.shuffled)));
    if read != shuffled {
        return Err(format!("in another order it is {shuffled:?}, not {read:?}: {:?}", line.shuffled));
    }
    Ok(read.is_some())
}
