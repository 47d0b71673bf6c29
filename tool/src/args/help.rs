// SPDX-License-Identifier: MIT OR Apache-2.0
//! What `--help` and the manual page say beyond the options.

use std::io::{self, Write};

use clap::CommandFactory as _;
use clap_mangen::Man;

use super::Cli;
use crate::outcome::EXIT_CODES;

/// The manual page, those of `set` and `gc` behind it.
///
/// # Errors
/// Where it cannot be written.
pub fn man(out: &mut impl Write) -> io::Result<()> {
    let mut cli = Cli::command();
    cli.build();
    Man::new(cli.clone()).render(out)?;
    for name in ["set", "gc"] {
        if let Some(command) = cli.find_subcommand(name) {
            Man::new(command.clone()).title(format!("cmpdel-{name}")).render(out)?;
        }
    }
    Ok(())
}

/// What stands behind the help of `set`.
pub fn of_set() -> String {
    format!("{SET}\n\nExit codes:\n{}", exit_codes())
}

/// What stands behind the help of a delete.
pub fn of_delete() -> String {
    format!("{FORMS}\n\n{EXAMPLES}\n\nExit codes:\n{}", exit_codes())
}

fn exit_codes() -> String {
    let codes: Vec<_> = EXIT_CODES.iter().map(|(code, _, text)| format!("  {code}  {text}")).collect();
    codes.join("\n")
}

const FORMS: &str = "\
K and V:
  0a 00 00 01           bytes of two hex digits, as bpftool prints them; `hex 10 00` where nothing shows that they are hex: no
                        letter, no 08 or 09
  0x0a000001            the same; bytes in the order written. Of an integer that would have them in another order it is
                        refused, and as NEW without BTF wherever 2, 4 or 8 bytes can be one: write u32:0x0a000001 for the
                        number, `hex 0x0a000001` for the bytes
  0xa, 0x0, 0x0, 0x1    bytes, as C and `xxd -i` write them, in braces or not; blanks between them will do
  u32:42  u32be:0x2a    an integer of 8, 16, 32 or 64 bits; `be` for network order, else this machine's
  \"u32be:1 u16:80 00 00\"  several of these, joined
  @FILE  -              the bytes of a file, of standard input
  [\"0x0a\", \"0x00\"]      bytes, as bpftool --json prints them
  {\"lifetime\": 42}      fields by name, where the map has BTF. What bpftool prints of a whole entry can be pasted, or `key: …`
                        or `value: …` of it: as V it has to be the entry of K, and --field or --offset and --size cut their part
                        out. But numbers of __be16 and the like it prints in this machine's order, and here they are in network
                        order: of these, paste the bytes. As V, the window is exactly the fields named, in one run of bytes. As
                        K, every field must be named, and of a union one member. Padding is taken to be zero. A field takes a
                        number, the name of an enumerator, a text (\"bash\", \"text:42\"), an object, an array, or a string in
                        one of the forms above.
  42  CT_OPEN  text:a   with --field, and where the whole key or value is one: what a field takes. Numbers of __be16 and the
                        like are put into network order. A float takes 1.5, and no number that it would round.
What can be read in two ways is an error.

A window has 64 bytes at most, and none that the kernel manages (a timer, a kptr).

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
  cmpdel set --name ct --key u32:1 --field lifetime --expect 42 --value 50
  cmpdel gc --name ct --field last_seen --clock monotonic --older-than 5m";

const SET: &str = "\
Examples:
  cmpdel set --name ct --key u32:1 --field lifetime --expect 42 --value 50
  cmpdel set --name ct --key u32:1 --expect '{\"lifetime\": 42}' --value '{\"lifetime\": 50, \"state\": \"CT_OPEN\"}' --dry-run
  cmpdel set --pinned /sys/fs/bpf/ct --key \"0a 00 00 01\" --offset 32 --expect u32:42 --value u32:50
  cmpdel set --name ct --key u32:1 --expect @seen.bin --value @new.bin

K, V and NEW are written as for a delete, see cmpdel --help. With --field or --offset, NEW is of the same window as V. Without:
  {\"lifetime\": 50}      the fields named get a new value, and all others keep theirs
  bytes, @FILE, -       a whole value: of the old one nothing is left

Where others keep theirs, the entry is looked up, and the new value takes the place of the old one only if that is still, in all of
its bytes, what the look-up found. If it is not, but V still holds, it is looked up again. So no update is undone. That is for values
of 64 bytes at most, of which the kernel manages none; of others, --rest-as-seen says that V alone is compared: what an update gives
another field between the look-up and the set, microseconds later, is undone then.

No entry is ever made, and no more than this one is changed; but as with every update, an LRU map may evict another to have room. A
timer or another thing that the kernel manages in the old value ends with it. The kernel's comparison and update are one step for
updates: a store in place, through a pointer that a program has looked up, can fall between them and is lost.

A kernel without compare-and-update changes nothing: a plain update is never tried instead.";

/// What stands behind the help of `gc`.
pub const GC: &str = "\
Examples:
  cmpdel gc --name ct --field last_seen --clock monotonic --older-than 5m --dry-run
  cmpdel gc --pinned /sys/fs/bpf/ct --offset 32 --type u32 --clock boottime --unit s --older-than 0
  cmpdel gc --name ct --field last_seen --clock monotonic --older-than 30s --where key.proto=17 --keys
  cmpdel gc --name ct --field generation --older-than 42 --json
  cmpdel gc --pinned /sys/fs/bpf/ct --offset 32 --type u32 --older-than 42 --stripes /sys/fs/bpf/keep_stripes

Clocks: bpf_ktime_get_ns() is monotonic, bpf_ktime_get_boot_ns() is boottime; date(1) and user space are realtime. A field that
says until when an entry lives has --older-than 0. A wall clock that is set on makes live entries look old: gc notices a step that is
longer than the machine has run, and one after which nothing was stamped, but not a shorter one once new entries are stamped.

A text in --where without quotes has letters, digits and _./:@+- alone: anything else is a list or a pattern to some, and is
written text:a|b or \"a|b\".

Before anything is deleted all entries are looked at, and gc stops (exit 2) where the threshold cannot be right: all of several
entries have expired, of the map or of those that --where leaves; the only entry is older than half the time since boot; stamps lie
in the future or before boot or are 0; the bytes are no such integer by BTF; the type cannot hold the number. --force goes on all the
same. (Of a map of type rhash, under stripes, it is seen alone whether all have expired.)

The summary counts entries looked at, expired, deleted, kept since they were refreshed after the look, and gone already.

What is compared is the field, and what --where asks of the value (of a text, what lies before its first zero), as one run of bytes
with all that lies between: 64 at most, and none that the kernel manages (a timer, a kptr). So the field has to change with each refresh and each life of
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
  6  anything else, such as a standard output that is full, after which nothing is deleted; the summary says how far it came";
