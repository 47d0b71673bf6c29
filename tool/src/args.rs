// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line. Its comments are what `--help` says, word for word.

#![allow(rustdoc::broken_intra_doc_links, reason = "help is no Markdown")]

mod help;
mod refused;

use std::convert::Infallible;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use crate::bytes::{Given, parse_count, parse_number};
use crate::gc::{Age, Clock, IntType, Unit, Where};
use crate::window::Choice;

pub use help::man;
pub use refused::own_words;

/// What was read, or why it cannot be: that is told as all else is that is wrong with it.
pub type Read<T> = Result<T, String>;

/// Delete a BPF map entry, or set its value, if, and only if, its value is what you last saw.
///
/// The kernel compares and changes in one step, so an update between your look and your delete is never lost. Where the
/// kernel cannot do that, nothing is deleted or set.
#[derive(Debug, Parser)]
#[command(
    name = "cmpdel",
    version,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    override_usage = "cmpdel <--pinned PATH|--id N|--name NAME> --key K --expect V [--offset N [--size N]|--field NAME] \
                      [--dry-run] [--json]\n       cmpdel set <--pinned PATH|--id N|--name NAME> --key K --expect V --value NEW \
                      [--offset N [--size N]|--field NAME]\n       cmpdel gc <--pinned PATH|--id N|--name NAME> --older-than V \
                      [--clock C|--now N] <--field NAME|--offset N --type T>\n       cmpdel probe [--json]\n       cmpdel completions SHELL\n       cmpdel man",
    after_long_help = help::of_delete()
)]
pub struct Cli {
    /// What to do instead of deleting.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// What to delete.
    #[command(flatten)]
    pub entry: Entry,
}

/// What to do instead of deleting.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Set the value of an entry if, and only if, it is what you last saw
    ///
    /// The kernel compares and updates in one step, so an update between your look and your set is never lost, and no entry is ever
    /// made.
    #[command(
        override_usage = "cmpdel set <--pinned PATH|--id N|--name NAME> --key K --expect V --value NEW\n                  \
                          [--offset N [--size N]|--field NAME] [--rest-as-seen] [--dry-run] [--json]",
        after_long_help = help::of_set()
    )]
    Set(Box<Set>),
    /// Delete every entry whose time field is too low, unless it is refreshed meanwhile
    ///
    /// Looks entries up in batches, picks those whose field is lower than V (with --clock or --now: than now - V), and deletes
    /// each of them if, and only if, that field is still what it was. Entries that an update refreshes in between stay.
    #[command(
        override_usage = "cmpdel gc <--pinned PATH|--id N|--name NAME> --older-than V [--clock C|--now N] [--unit U]\n                 \
                          <--field NAME|--offset N --type T> [--where CONDITION]... [--zero-is-never]\n                 \
                          [--stripes PATH [--reader ID]...] [--batch N] [--keys] [--dry-run] [--force] [--json]",
        after_long_help = help::GC
    )]
    Gc(Box<Gc>),
    /// Say whether this kernel has compare-and-delete: exit 0 if it has, 4 if not
    Probe {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page, as roff
    Man,
}

/// Which entry, and what is expected of it. Key and expected bytes are there unless a command is that has its own.
#[derive(Debug, Args)]
pub struct Entry {
    #[command(flatten)]
    pub map: MapArgs,

    /// The key, whole
    #[arg(long, value_name = "K", value_parser = given, allow_negative_numbers = true, required = true)]
    pub key: Option<Read<Given>>,

    /// The expected bytes: what you last saw in the window
    #[arg(long, value_name = "V", value_parser = given, allow_negative_numbers = true, required = true)]
    pub expect: Option<Read<Given>>,

    /// Compare only a window of the value, that begins at byte N and is as long as V
    #[arg(long, value_name = "N", value_parser = parse_count::<u32>, allow_negative_numbers = true, conflicts_with = "field")]
    pub offset: Option<u32>,

    /// How long the window is: an assertion on the length of V
    #[arg(long, value_name = "N", value_parser = parse_count::<u32>, allow_negative_numbers = true, requires = "offset", conflicts_with = "field")]
    pub size: Option<u32>,

    /// Compare only this field.
    #[arg(
        long,
        value_name = "NAME",
        help = "Compare only this field, found by the map's BTF; nested as a.b[2].c"
    )]
    pub field: Option<String>,

    /// Look and compare, change nothing; the exit code is that of the real thing at this moment
    #[arg(long)]
    pub dry_run: bool,

    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

impl Entry {
    /// How the window was chosen.
    #[must_use]
    pub fn choice(&self) -> Choice<'_> {
        Choice { offset: self.offset, size: self.size, field: self.field.as_deref() }
    }
}

/// What to set.
#[derive(Debug, Args)]
pub struct Set {
    #[command(flatten)]
    pub entry: Entry,

    /// What to put there: of the window that --field or --offset says, of the fields that JSON names, or a whole value
    #[arg(long, value_name = "NEW", value_parser = given, allow_negative_numbers = true)]
    pub value: Read<Given>,

    /// Compare V alone: what an update gives another field between the look-up and the set is undone
    #[arg(long)]
    pub rest_as_seen: bool,
}

/// Which map.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct MapArgs {
    /// The map pinned at this path of a bpffs
    #[arg(long, value_name = "PATH")]
    pub pinned: Option<PathBuf>,
    /// The map with this id
    #[arg(long, value_name = "N", value_parser = parse_count::<u32>, allow_negative_numbers = true)]
    pub id: Option<u32>,
    /// The map with this name; an error that lists them if there are several
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
}

/// What to collect.
#[derive(Debug, Args)]
pub struct Gc {
    #[command(flatten)]
    pub map: MapArgs,

    /// An entry has expired if its field is lower than V; with --clock or --now, if it is lower than now - V. An age has its
    /// unit: 90s, 5m, 250ms
    #[arg(long, value_name = "V", allow_hyphen_values = true)]
    pub older_than: Age,

    /// The clock on which the entries are stamped: now is what it says
    #[arg(long, value_name = "C", value_enum, conflicts_with = "now")]
    pub clock: Option<Clock>,

    /// What one of the field is: nanoseconds, unless told otherwise
    #[arg(long, value_name = "U", value_enum)]
    pub unit: Option<Unit>,

    /// The time it is, as a number in the unit and on the clock of the field
    #[arg(long, value_name = "N", value_parser = number, allow_negative_numbers = true)]
    pub now: Option<i128>,

    /// The field, an integer, found by the map's BTF; nested as a.b[2].c
    #[arg(long, value_name = "NAME", conflicts_with = "offset", required_unless_present = "offset")]
    pub field: Option<String>,

    /// The field by its first byte in the value
    #[arg(long, value_name = "N", value_parser = parse_count::<u32>, allow_negative_numbers = true, requires = "int_type")]
    pub offset: Option<u32>,

    /// What is there: u8, u16, u32, u64, or i… with a sign; with `be` behind it for network order
    #[arg(long = "type", value_name = "T", requires = "offset", conflicts_with = "field")]
    pub int_type: Option<IntType>,

    /// Only entries of which this is true as well: key.FIELD=V or value.FIELD=V, or != instead of =; key=V or value=V where
    /// there are no fields. Several are all asked. Blanks around V are no part of it
    #[arg(long = "where", value_name = "CONDITION", value_parser = condition)]
    pub conditions: Vec<Read<Where>>,

    /// A field that is 0 says that the entry never expires
    #[arg(long)]
    pub zero_is_never: bool,

    /// Collect under these stripes, the datapath's `keep_stripes` pinned at PATH: on kernels without compare-and-delete too
    #[arg(long, value_name = "PATH")]
    pub stripes: Option<PathBuf>,

    /// With --stripes: the program with this id uses the map and only reads; may be given several times
    #[arg(long, value_name = "ID", value_parser = parse_count::<u32>, allow_negative_numbers = true, requires = "stripes")]
    pub reader: Vec<u32>,

    /// Entries in a batch; more where a single bucket of the map holds more
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = batch, allow_negative_numbers = true)]
    pub batch: u32,

    /// Print one JSON object for each entry that had expired, as it happens: its key and what became of it; implies --json
    #[arg(long)]
    pub keys: bool,

    /// Look and count, delete nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Go on where the threshold seems wrong: everything has expired, stamps lie in the future or before boot or are 0, the bytes
    /// are no such field, the type cannot hold the number
    #[arg(long)]
    pub force: bool,

    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

fn given(text: &str) -> Result<Read<Given>, Infallible> {
    Ok(Given::parse(text))
}

fn condition(text: &str) -> Result<Read<Where>, Infallible> {
    Ok(text.parse())
}

fn number(text: &str) -> Result<i128, String> {
    parse_number(text).ok_or_else(|| {
        format!("`{text}` is no decimal number: write all its digits, or let --clock monotonic say it")
    })
}

fn batch(text: &str) -> Result<u32, String> {
    let entries = parse_count(text)?;
    if (1..=65536).contains(&entries) { Ok(entries) } else { Err("a batch has 1 to 65536 entries".into()) }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn what_is_accepted_and_what_is_not() {
        let ok = |args: &str| Cli::try_parse_from(format!("cmpdel {args}").split(' ')).is_ok();
        for args in [
            "--id 1 --key 00 --expect 00",
            "--name n --key - --expect @f --offset 1 --size 1 --json --dry-run",
            "--pinned p --key 00 --expect -5 --field f",
            "--pinned p --key -1 --expect 00",
            "set --id 1 --key 00 --expect 00 --value 01",
            "set --name n --key 00 --expect 42 --value -5 --field f --rest-as-seen --dry-run --json",
            "set --pinned p --key 00 --expect 00 --value - --offset 1 --size 1",
            "gc --id 1 --field f --older-than 5",
            "gc --id 1 --field f --older-than 5 --stripes /s --reader 7 --reader 8",
            "gc --name n --offset 8 --type u32be --older-than -10 --now 20 --batch 1 --json --dry-run",
            "gc --id 1 --field f --older-than 5m --clock monotonic --keys --force",
            "gc --id 1 --field f --older-than 5m --now 7 --unit s --zero-is-never",
            "gc --id 1 --field f --older-than 0 --clock realtime --where key.proto=17 --where value.state!=2",
            "--id 1 --key 0 --expect CT_OPEN --field f",
            "probe",
            "probe --json",
            // Why they cannot be read is told later.
            "--id 1 --key @ --expect {a",
            "gc --id 1 --field f --older-than 5 --where proto=17",
            "gc --id 1 --field f --older-than 5m --clock ktime",
            "gc --id 1 --field f --older-than 5m --clock CLOCK_BOOTTIME",
            "completions bash",
            "man",
        ] {
            assert!(ok(args), "{args}");
        }
        for args in [
            "",
            "--id 1 --key 00",
            "--id 1 --expect 00",
            "--key 00 --expect 00",
            "--id 1 --name n --key 00 --expect 00",
            "--id x --key 00 --expect 00",
            "--id 1 --key 00 --expect 00 --size 1",
            "--id 1 --key 00 --expect 00 --size 1 --field f",
            "--id 1 --key 00 --expect 00 --offset 1 --field f",
            "--id 1 --key 00 --expect 00 --offset -1",
            "--id 1 --key 00 --expect 00 --key 01",
            "--id 1 --key 00 --expect 00 probe",
            "--id 1 --key 00 --expect 00 --value 00",
            "set --id 1 --key 00 --expect 00",
            "set --id 1 --key 00 --value 00",
            "set --id 1 --expect 00 --value 00",
            "set --key 00 --expect 00 --value 00",
            "set --id 1 --key 00 --expect 00 --value 00 --value 01",
            "set --id 1 --key 00 --expect 00 --value 00 --offset 1 --field f",
            "--id 1 set --key 00 --expect 00 --value 00",
            "gc --id 1 --field f",
            "gc --id 1 --older-than 5",
            "gc --field f --older-than 5",
            "gc --id 1 --offset 8 --older-than 5",
            "gc --id 1 --type u32 --older-than 5",
            "gc --id 1 --field f --type u32 --older-than 5",
            "gc --id 1 --field f --offset 8 --type u32 --older-than 5",
            "gc --id 1 --offset 8 --type u24 --older-than 5",
            "gc --id 1 --field f --older-than x",
            "gc --id 1 --field f --older-than 2.5897e+12",
            "gc --id 1 --field f --older-than 5 --clock monotonic --now 7",
            "gc --id 1 --field f --older-than 5 --clock jiffies",
            "gc --id 1 --field f --older-than 5 --unit h",
            "gc --id 1 --field f --older-than 5 --batch 0",
            "gc --id 1 --field f --older-than 5 --batch 65537",
            "gc --id 1 --offset 010 --type u8 --older-than 5",
            "gc --id 1 --field f --older-than 5 --stripes /s --reader +7",
            "--id 010 --key 00 --expect 00",
            "--id 1 --key 00 --expect 00 --offset 010",
            "--id 1 --key 00 --expect 00 --offset 8 --size +1",
            "gc --id 1 --field f --older-than 5 --reader 7",
            "gc --id 1 --name n --field f --older-than 5",
            "completions nosuch",
        ] {
            assert!(!ok(args), "{args}");
        }
    }
}
