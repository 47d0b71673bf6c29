// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;
use clap_mangen::Man;

use crate::bytes::{Given, parse_number};
use crate::gc::IntType;
use crate::outcome::EXIT_CODES;

/// Delete a BPF map entry if, and only if, its value is what you last saw.
///
/// The kernel compares and deletes in one step, so an update between your look and your delete is never lost. Where the
/// kernel cannot do that, nothing is deleted.
#[derive(Debug, Parser)]
#[command(
    name = "cmpdel",
    version,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    override_usage = "cmpdel <--pinned PATH|--id N|--name NAME> --key K --expect V [--offset N [--size N]|--field NAME] \
                      [--dry-run] [--json]\n       cmpdel gc <--pinned PATH|--id N|--name NAME> --older-than V [--now N] \
                      <--field NAME|--offset N --type T>\n       cmpdel probe [--json]\n       cmpdel completions SHELL\n       cmpdel man",
    after_long_help = after_help()
)]
pub struct Cli {
    /// What to do instead of deleting.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// What to delete.
    #[command(flatten)]
    pub delete: Delete,
}

/// What to do instead of deleting.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Delete every entry whose time field is too low, unless it is refreshed meanwhile
    ///
    /// Looks entries up in batches, picks those whose field is lower than V (with --now: than N - V), and deletes each of
    /// them if, and only if, that field is still what it was. Entries that are refreshed in between stay.
    #[command(
        override_usage = "cmpdel gc <--pinned PATH|--id N|--name NAME> --older-than V [--now N] <--field NAME|--offset N \
                          --type T>\n                 [--stripes PATH [--reader ID]...] [--batch N] [--dry-run] [--json]",
        after_long_help = GC_HELP
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

/// What to delete. Key and expected bytes are there unless a command is.
#[derive(Debug, Args)]
pub struct Delete {
    #[command(flatten)]
    pub map: MapArgs,

    /// The key, whole
    #[arg(long, value_name = "K", value_parser = Given::parse, required = true)]
    pub key: Option<Given>,

    /// The expected bytes: what you last saw in the window
    #[arg(long, value_name = "V", value_parser = Given::parse, allow_negative_numbers = true, required = true)]
    pub expect: Option<Given>,

    /// Compare only a window of the value, that begins at byte N and is as long as V
    #[arg(long, value_name = "N", conflicts_with = "field")]
    pub offset: Option<u32>,

    /// How long the window is: an assertion on the length of V
    #[arg(long, value_name = "N", requires = "offset")]
    pub size: Option<u32>,

    /// Compare only this field.
    #[arg(
        long,
        value_name = "NAME",
        help = "Compare only this field, found by the map's BTF; nested as a.b[2].c"
    )]
    pub field: Option<String>,

    /// Look and compare, delete nothing; the exit code is that of the real thing at this moment
    #[arg(long)]
    pub dry_run: bool,

    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Which map.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct MapArgs {
    /// The map pinned at this path of a bpffs
    #[arg(long, value_name = "PATH")]
    pub pinned: Option<PathBuf>,
    /// The map with this id
    #[arg(long, value_name = "N")]
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

    /// An entry has expired if its field is lower than V; with --now, if it is lower than N - V
    #[arg(long, value_name = "V", value_parser = number, allow_negative_numbers = true)]
    pub older_than: i128,

    /// The time it is, in the unit and on the clock of the field: then V is an age
    #[arg(long, value_name = "N", value_parser = number)]
    pub now: Option<i128>,

    /// The field, an integer, found by the map's BTF; nested as a.b[2].c
    #[arg(long, value_name = "NAME", conflicts_with = "offset", required_unless_present = "offset")]
    pub field: Option<String>,

    /// The field by its first byte in the value
    #[arg(long, value_name = "N", requires = "int_type")]
    pub offset: Option<u32>,

    /// What is there: u8, u16, u32, u64, or i… with a sign; with `be` behind it for network order
    #[arg(long = "type", value_name = "T", requires = "offset", conflicts_with = "field")]
    pub int_type: Option<IntType>,

    /// Collect under these stripes, the datapath's `keep_stripes` pinned at PATH: on kernels without compare-and-delete too
    #[arg(long, value_name = "PATH")]
    pub stripes: Option<PathBuf>,

    /// With --stripes: the program with this id uses the map and only reads; may be given several times
    #[arg(long, value_name = "ID", requires = "stripes")]
    pub reader: Vec<u32>,

    /// Entries in a batch; more where a single bucket of the map holds more
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=65536))]
    pub batch: u32,

    /// Look and count, delete nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

fn number(text: &str) -> Result<i128, String> {
    parse_number(text).ok_or_else(|| format!("`{text}` is no decimal number"))
}

const GC_HELP: &str = "\
Examples:
  cmpdel gc --name ct --field lifetime --older-than 1700000000
  cmpdel gc --name ct --field last_seen --now \"$(date +%s)\" --older-than 300 --dry-run
  cmpdel gc --pinned /sys/fs/bpf/ct --offset 32 --type u32 --older-than 42 --json
  cmpdel gc --pinned /sys/fs/bpf/ct --offset 32 --type u32 --older-than 42 --stripes /sys/fs/bpf/keep_stripes

The numbers are those of the datapath: if it writes bpf_ktime_get_ns(), V and N are nanoseconds since boot.

The summary counts entries looked at, expired, deleted, kept since they were refreshed after the look, and gone already.

A datapath that stores in place, and takes neither the bucket's lock nor a stripe, can still lose a store that falls between the
comparison and the delete, by which the kernel's call is one step for updates alone.

A kernel without compare-and-delete deletes nothing, unless the datapath takes stripes (keep/include/keep) and --stripes
names their table. Every program that uses the map is then looked at: one that takes none of these stripes is an error.

Exit codes:
  0  every expired entry was dealt with, also where some were kept (with --dry-run: would be)
  2  usage
  4  this kernel, or this map, has no compare-and-delete; nothing was deleted
  5  not permitted
  6  anything else; the summary says how far it came";

/// The manual page, that of `gc` behind it.
///
/// # Errors
/// Where it cannot be written.
pub fn man(out: &mut impl Write) -> io::Result<()> {
    let mut cli = Cli::command();
    cli.build();
    Man::new(cli.clone()).render(out)?;
    match cli.find_subcommand("gc") {
        Some(gc) => Man::new(gc.clone()).title("cmpdel-gc").render(out),
        None => Ok(()),
    }
}

const FORMS: &str = "\
K and V:
  0a 00 00 01           bytes of two hex digits, as bpftool prints them
  0x0a000001            the same; bytes in the order written, never a number
  u32:42  u32be:0x2a    an integer of 8, 16, 32 or 64 bits; `be` for network order, else this machine's
  \"u32be:1 u16:80 00 00\"  several of these, joined
  @FILE  -              the bytes of a file, of standard input
  {\"lifetime\": 42}      fields by name, where the map has BTF. As V, the window is exactly the fields named; they must
                        lie side by side, without padding between, or it is an error. As K, every field must be named,
                        and padding is zero. A field takes a number, the name of an enumerator, an object, an array,
                        or a string in one of the forms above.
  42                    with --field: a number of the field's own type (so for a single byte, write 0x42 for hex)";

const EXAMPLES: &str = "\
Examples:
  cmpdel --pinned /sys/fs/bpf/ct --key \"0a 00 00 01\" --expect @value.bin
  cmpdel --name ct --key u32be:0x0a000001 --expect u32:42 --offset 32
  cmpdel --id 7 --key '{\"addr\": 1, \"port\": 80}' --expect '{\"lifetime\": 42}'
  cmpdel --name ct --key u32:1 --field lifetime --expect 42 --dry-run
  cmpdel gc --name ct --field lifetime --older-than 42";

fn after_help() -> String {
    let codes: Vec<_> = EXIT_CODES.iter().map(|(code, _, text)| format!("  {code}  {text}")).collect();
    format!("{FORMS}\n\n{EXAMPLES}\n\nExit codes:\n{}", codes.join("\n"))
}

#[cfg(test)]
mod tests {
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
            "gc --id 1 --field f --older-than 5",
            "gc --id 1 --field f --older-than 5 --stripes /s --reader 7 --reader 8",
            "gc --name n --offset 8 --type u32be --older-than -10 --now 20 --batch 1 --json --dry-run",
            "probe",
            "probe --json",
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
            "--id 1 --key 0 --expect zz",
            "--id 1 --key 00 --expect 00 --size 1",
            "--id 1 --key 00 --expect 00 --offset 1 --field f",
            "--id 1 --key 00 --expect 00 --offset -1",
            "--id 1 --key 00 --expect 00 --key 01",
            "--id 1 --key 00 --expect 00 probe",
            "gc --id 1 --field f",
            "gc --id 1 --older-than 5",
            "gc --field f --older-than 5",
            "gc --id 1 --offset 8 --older-than 5",
            "gc --id 1 --type u32 --older-than 5",
            "gc --id 1 --field f --type u32 --older-than 5",
            "gc --id 1 --field f --offset 8 --type u32 --older-than 5",
            "gc --id 1 --offset 8 --type u24 --older-than 5",
            "gc --id 1 --field f --older-than x",
            "gc --id 1 --field f --older-than 5 --batch 0",
            "gc --id 1 --field f --older-than 5 --reader 7",
            "gc --id 1 --name n --field f --older-than 5",
            "completions nosuch",
        ] {
            assert!(!ok(args), "{args}");
        }
    }
}
