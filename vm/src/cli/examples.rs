// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is shown below the options of each command: examples, exit codes, and where the results are. A test has the
//! commands take them.

/// Of `vm-test`.
pub const VM_TEST: &str = "\
Examples:
  cargo xtask vm-test                               the series, and the quick form of the races
  cargo xtask vm-test --with-base                   and the same kernel without it
  cargo xtask vm-test --series rfc --no-races       the series as posted
  cargo xtask vm-test --filter errno                one topic
  cargo xtask vm-test --filter malformed --calls 1000000 --seed 7
  cargo xtask vm-test --profile debug --filter lru  under KASAN, lockdep, UBSAN and kmemleak
  cargo xtask vm-test --base 7.2                    on another line of kernels
  cargo xtask vm-test --kernel-src ~/src/linux      on a tree of your own

Exit codes: 0, every promise was kept; 1, one was not, or the kernel splatted; 69, could not run.
The report is target/vm-test/report.json, the whole console is beside it.";

/// Of `kselftest`.
pub const KSELFTEST: &str = "\
Examples:
  cargo xtask kselftest                         all of it
  cargo xtask kselftest --quick                 without test_maps
  cargo xtask kselftest --series kfunc --quick  another series
  cargo xtask kselftest --filter htab           some tests
  cargo xtask kselftest --arch arm64            those of the series, on emulated Arm
  cargo xtask kselftest --arch s390x            and where the highest byte comes first

Exit codes: 0, nothing that passes on the base fails with the series; 1, something does; 69, could not run.
With --arch there is no base: 1 is a test of the series that fails or does not run, or a splat.
The difference is target/kselftest/kselftest.json, with --arch target/kselftest-ARCH/kselftest.json; what each test
printed is in target/vm-test/run-kselftest-*/.";

/// Of `mutants`.
pub const MUTANTS: &str = "\
Examples:
  cargo xtask mutants                                all of them, a kernel each
  cargo xtask mutants --filter lru                   some
  cargo xtask mutants --profile debug --filter leak  those that leak memory, too

Exit codes: 0, all were caught by the promise that they name; 1, one survived; 69, could not run.";

/// Of `drill`.
pub const DRILL: &str = "\
Examples:
  cargo xtask drill        a panic, a hang, a lie, and what is made of each
  cargo xtask drill --kvm  vm-test, races --quick and bench --quick with KVM, where the machine itself has none

--kvm takes 12 GiB of memory and what `cargo xtask vm-test --with-base` and `cargo xtask bench --quick` have built before.";

/// Of `time`.
pub const TIME: &str = "\
Examples:
  cargo xtask time                                 every step that holds a lock, stops, steps of clocks
  cargo xtask time --quick                         some of them, in two minutes
  cargo xtask time --filter stripe --hold 10000    one lock, for ten seconds each

Exit codes: 0, nobody hung, what gave up said so, nothing was lost; 1, it was otherwise; 69, could not run.
What was seen is target/time/time.json.";

/// Of `ci`.
pub const CI: &str = "\
Examples:
  cargo xtask ci  what `.ci/run` calls

Exit codes: 0, all passed; 1, something failed; 69, something could not run.";

/// Of `races`.
pub const RACES: &str = "\
Examples:
  cargo xtask races                                       the whole matrix
  cargo xtask races --quick                               fewer repetitions, not all types of map
  cargo xtask races --filter 'replace × compare on hash'  one cell
  cargo xtask races --filter lru-hash --json              all cells of a map, as JSON
  cargo xtask races --model-only                          every schedule in the model: Rust alone, seconds
  cargo xtask races --here                                what needs no patch, on this machine's own kernel
  cargo xtask races --here --long --filter 'on rhash'     until rare events have shown themselves
  cargo xtask races --stock 6.12                          the same half on Debian's own kernel, in a guest

--here takes root. Maps, programs and network name spaces are its own, and end with it, however it ends.
Exit codes: 0, all evidence agrees; 1, some disagrees or is missing, or the kernel splatted; 69, could not run.
The matrix is in target/races/matrix.json, matrix-PROFILE.json, here.json or stock-LINE.json, whatever happens; beside the
latter two is all that the lab said (.jsonl).";

/// Of `soak`.
pub const SOAK: &str = "\
Examples:
  cargo xtask soak                                an hour in a guest, on the kernel with the series
  cargo xtask soak --here --hours 8               a night on this machine's own kernel
  cargo xtask soak --here --quick                 75 seconds of it
  cargo xtask soak --series rfc --minutes 20      on the series as posted
  cargo xtask soak --quick --mutant element-leak  the control: a kernel that leaks is noticed

--here takes root. Maps, programs and network name spaces are its own, and end with it, however it ends.
Exit codes: 0, nothing was lost and memory is flat; 1, something was lost, memory grows, or the kernel splatted; 69, could
not run, as when the host was too busy for a guest to keep time.
The record is target/soak/here.json or SERIES.json, whatever happens; beside it is all that the lab said (.jsonl).";

/// Of `bench`.
pub const BENCH: &str = "\
Examples:
  cargo xtask bench                                     all of it: at most 15 minutes under emulation
  cargo xtask bench --quick                             single operations, and a small round of GC
  cargo xtask bench --series v3 --filter 'compare hit'  some rows on one kernel
  cargo xtask bench --quick --functions                 and where the instructions of a delete go
  cargo xtask bench --quick --twice                     whether two runs of one image agree

Exit codes: 0, every operation did what it says; 1, one did not, two runs differ, or a kernel splatted; 69, could not run.
Goals are printed beside the ratios and decide nothing. The figures are in target/bench/bench.json, whatever happens.";

/// Of `calibrate`.
pub const CALIBRATE: &str = "\
Examples:
  cargo xtask calibrate                              all that needs no patch
  cargo xtask calibrate --filter 'packets, replace'  packets on one CPU beside GC on another
  cargo xtask calibrate --json                       as JSON

Maps and programs are its own, and end with it; nothing else on the machine is touched. What the kernel refuses is skipped.
Exit codes: 0, measured, or skipped with a reason; 1, an operation did not do what it says; 69, could not run.";

/// Of `report`.
pub const REPORT: &str = "\
Examples:
  cargo xtask report                      of what `races` and `bench` left in target/
  cargo xtask report --races matrix.json  of a matrix from elsewhere
  cargo xtask report --brief              print 72 lines for a mail, everything else on standard error
  cargo xtask report --check              and have headless Chromium look at the page
  cargo xtask report --check --keep       and keep it in docs/report/

What was not run is said in the page, with the command that runs it.
Exit codes: 0, written; 1, a claim does not hold, an input contradicts itself, or the page has a fault; 69, could not run.";

/// Of `patches`.
pub const PATCHES: &str = "\
Examples:
  cargo xtask patches                       all series, on each base, and the mutants
  cargo xtask patches --series v3 --sparse  W=1 and sparse on the objects that each patch touches
  cargo xtask patches --series v3 --build   a whole kernel at each patch

Exit codes: 0, nothing to say; 1, a finding; 69, could not run.";

/// Of `bindings`.
pub const BINDINGS: &str = "\
Examples:
  cargo xtask bindings          says whether they differ
  cargo xtask bindings --write  renews them";

/// Of `keep`.
pub const KEEP: &str = "\
Examples:
  cargo xtask keep                       as root, on the kernel that is running
  cargo xtask keep --stock 6.1           on Debian's own kernel, in a guest
  cargo xtask keep --filter losses       the tests whose name has this in it

Exit codes: 0, all passed; 1, a test failed; 69, could not run.";

/// Of `shell`.
pub const SHELL: &str = "\
Examples:
  cargo xtask shell                on the kernel with the series
  cargo xtask shell --series base  on the one without

End it with Ctrl-D. `cmpdel probe` says what the kernel can do.";

/// Of `doctor`.
pub const DOCTOR: &str = "\
Examples:
  cargo xtask doctor  changes nothing

Exit codes: 0, vm-test can begin, and installs what is missing; 1, it cannot, with the mend; 69, could not look.";

/// Of `clean`.
pub const CLEAN: &str = "\
Examples:
  cargo xtask clean          lists what the cache holds
  cargo xtask clean kernels  removes that part
  cargo xtask clean --all    removes all of it";
