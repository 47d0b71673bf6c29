// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;
use clap_mangen::Man;

use crate::bytes::{Given, parse_number};
use crate::gc::{Age, Clock, IntType, Unit, Where};
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
                      [--dry-run] [--json]\n       cmpdel gc <--pinned PATH|--id N|--name NAME> --older-than V \
                      [--clock C|--now N] <--field NAME|--offset N --type T>\n       cmpdel probe [--json]\n       cmpdel completions SHELL\n       cmpdel man",
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
    /// Looks entries up in batches, picks those whose field is lower than V (with --clock or --now: than now - V), and deletes
    /// each of them if, and only if, that field is still what it was. Entries that an update refreshes in between stay.
    #[command(
        override_usage = "cmpdel gc <--pinned PATH|--id N|--name NAME> --older-than V [--clock C|--now N] [--unit U]\n                 \
                          <--field NAME|--offset N --type T> [--where CONDITION]... [--zero-is-never]\n                 \
                          [--stripes PATH [--reader ID]...] [--batch N] [--keys] [--dry-run] [--force] [--json]",
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

    /// An entry has expired if its field is lower than V; with --clock or --now, if it is lower than now - V. An age has its
    /// unit: 90s, 5m, 250ms
    #[arg(long, value_name = "V", allow_negative_numbers = true)]
    pub older_than: Age,

    /// The clock on which the entries are stamped: now is what it says
    #[arg(long, value_name = "C", value_enum, conflicts_with = "now")]
    pub clock: Option<Clock>,

    /// What one of the field is: nanoseconds, unless told otherwise
    #[arg(long, value_name = "U", value_enum)]
    pub unit: Option<Unit>,

    /// The time it is, as a number in the unit and on the clock of the field
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

    /// Only entries of which this is true as well: key.FIELD=V or value.FIELD=V, or != instead of =; several are all asked
    #[arg(long = "where", value_name = "CONDITION")]
    pub conditions: Vec<Where>,

    /// A field that is 0 says that the entry never expires
    #[arg(long)]
    pub zero_is_never: bool,

    /// Collect under these stripes, the datapath's `keep_stripes` pinned at PATH: on kernels without compare-and-delete too
    #[arg(long, value_name = "PATH")]
    pub stripes: Option<PathBuf>,

    /// With --stripes: the program with this id uses the map and only reads; may be given several times
    #[arg(long, value_name = "ID", requires = "stripes")]
    pub reader: Vec<u32>,

    /// Entries in a batch; more where a single bucket of the map holds more
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=65536))]
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

fn number(text: &str) -> Result<i128, String> {
    parse_number(text).ok_or_else(|| format!("`{text}` is no decimal number"))
}

const GC_HELP: &str = "\
Examples:
  cmpdel gc --name ct --field last_seen --clock monotonic --older-than 5m --dry-run
  cmpdel gc --pinned /sys/fs/bpf/ct --offset 32 --type u32 --clock boottime --unit s --older-than 0
  cmpdel gc --name ct --field last_seen --clock monotonic --older-than 30s --where key.proto=17 --keys
  cmpdel gc --name ct --field generation --older-than 42 --json
  cmpdel gc --pinned /sys/fs/bpf/ct --offset 32 --type u32 --older-than 42 --stripes /sys/fs/bpf/keep_stripes

Clocks: bpf_ktime_get_ns() is monotonic, bpf_ktime_get_boot_ns() is boottime; date(1) and user space are realtime. A field that
says until when an entry lives has --older-than 0.

Before anything is deleted all entries are looked at, and gc stops (exit 2) where the threshold cannot be right: all of several
entries have expired, stamps lie in the future or before boot or are 0, the bytes are no such integer by BTF, the type cannot hold the
number. --force goes on all the same. (Of a map of type rhash, under stripes, it is seen alone whether all have expired.)

The summary counts entries looked at, expired, deleted, kept since they were refreshed after the look, and gone already.

What is compared is the field, and what --where asks of the value. So the field has to change with each refresh and each life of
an entry: one that was deleted and put back with equal bytes is taken for the old one. And the call is one step for updates
alone: a datapath that stores in place, through a pointer from a look-up (as Cilium, Calico and AWS's agent do), can still lose a
store that falls between the comparison and the delete. A field that is not aligned to its size can be read half stored.

A kernel without compare-and-delete deletes nothing, unless the datapath takes stripes (keep/include/keep) and --stripes
names their table. Every program that uses the map is then looked at: one that takes none of these stripes is an error.

Exit codes:
  0  every expired entry was dealt with, also where some were kept (with --dry-run: would be)
  2  usage, and a threshold that cannot be right; what is wrong with the command line itself is text, also with --json
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
  0a 00 00 01           bytes of two hex digits, as bpftool prints them; `hex 10 20` where all digits are decimal ones
  0x0a000001            the same; bytes in the order written, never a number
  u32:42  u32be:0x2a    an integer of 8, 16, 32 or 64 bits; `be` for network order, else this machine's
  \"u32be:1 u16:80 00 00\"  several of these, joined
  @FILE  -              the bytes of a file, of standard input
  [\"0x0a\", \"0x00\"]      bytes, as bpftool --json prints them
  {\"lifetime\": 42}      fields by name, where the map has BTF; what bpftool prints as `formatted` can be pasted. As V, the
                        window is exactly the fields named, in one run of bytes. As K, every field must be named, and of a
                        union one member. Padding is taken to be zero. A field takes a number, the name of an enumerator, a
                        text (\"bash\", \"text:42\"), an object, an array, or a string in one of the forms above.
  42  CT_OPEN  text:a   with --field, and where the whole key or value is one: what a field takes. Numbers of __be16 and the
                        like are put into network order.
What can be read in two ways is an error.

V has to be something that changes: an entry that was deleted and put back with equal bytes is deleted as well. And the kernel's
comparison and delete are one step for updates: a store in place, through a pointer that a program has looked up, can fall
between them and is lost. A window that is not aligned can hold half of such a store.";

const EXAMPLES: &str = "\
Examples:
  cmpdel --pinned /sys/fs/bpf/ct --key \"0a 00 00 01\" --expect @value.bin
  cmpdel --name ct --key u32be:0x0a000001 --expect u32:42 --offset 32
  cmpdel --id 7 --key '{\"addr\": 1, \"port\": 80}' --expect '{\"lifetime\": 42}'
  cmpdel --name ct --key u32:1 --field lifetime --expect 42 --dry-run
  cmpdel --name ct --key '{\"addr\": \"0x0a000001\", \"port\": 80}' --field state --expect CT_CLOSING
  cmpdel gc --name ct --field last_seen --clock monotonic --older-than 5m";

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
            "gc --id 1 --field f --older-than 5m --clock monotonic --keys --force",
            "gc --id 1 --field f --older-than 5m --now 7 --unit s --zero-is-never",
            "gc --id 1 --field f --older-than 0 --clock realtime --where key.proto=17 --where value.state!=2",
            "--id 1 --key 0 --expect CT_OPEN --field f",
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
            "--id 1 --key @ --expect 00",
            "--id 1 --key {a --expect 00",
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
            "gc --id 1 --field f --older-than 2.5897e+12",
            "gc --id 1 --field f --older-than 5 --clock monotonic --now 7",
            "gc --id 1 --field f --older-than 5 --clock jiffies",
            "gc --id 1 --field f --older-than 5 --unit h",
            "gc --id 1 --field f --older-than 5 --where proto=17",
            "gc --id 1 --field f --older-than 5 --batch 0",
            "gc --id 1 --field f --older-than 5 --reader 7",
            "gc --id 1 --name n --field f --older-than 5",
            "completions nosuch",
        ] {
            assert!(!ok(args), "{args}");
        }
    }
}
