// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the instructions of one system call go: the vCPU is stepped from the kernel's first instruction to its last,
//! by QEMU's gdb stub, and each instruction is put down to the function it is in.
//!
//! Interrupts stay pending during a step (QEMU's default), and the guest's clock stands still: what is counted is the call.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use ground::cache::write_whole;
use guest::{
    beside::Beside,
    debugger::{remote::Remote, socket},
};
use results::bench::{Ask, AskFiles, Profile, Spent};

/// Between looks for a question.
const TICK: Duration = Duration::from_millis(20);
/// For the guest to make the call.
const CALL: Duration = Duration::from_secs(20);
/// The first instruction of every system call.
const ENTRY: &str = "entry_SYSCALL_64";
/// bpf(2) on x86-64.
const BPF: u64 = 321;
/// A call of more instructions is none of those that are looked at.
const LONGEST: u64 = 50_000;
/// Addresses below are user space.
const KERNEL: u64 = 1 << 63;

/// The debugger beside the guest that uses the fresh folder `run`.
pub fn beside(run: &Path) -> Beside<'_> {
    Beside { qemu: socket::qemu_options(), task: Some(Box::new(|over| serve(run, over))) }
}

/// The answers, in the order of the questions.
///
/// # Errors
/// When one cannot be read, or a question was not answered.
pub fn read(run: &Path, kernel: &str) -> Result<Vec<Profile>> {
    let mut profiles = Vec::new();
    for files in (0..).map(AskFiles) {
        if !run.join(files.ask()).exists() {
            break;
        }
        if let Ok(why) = fs::read_to_string(run.join(files.failed())) {
            bail!("no profile: {why}");
        }
        let path = run.join(files.done());
        let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let profile: Profile = serde_json::from_slice(&text)?;
        profiles.push(Profile { kernel: kernel.into(), ..profile });
    }
    Ok(profiles)
}

fn serve(run: &Path, over: &AtomicBool) -> Result<()> {
    let mut symbols = None;
    for files in (0..).map(AskFiles) {
        let asked = loop {
            if over.load(Ordering::Relaxed) {
                return Ok(());
            }
            match fs::read(run.join(files.ask())) {
                Ok(asked) => break asked,
                Err(_) => thread::sleep(TICK),
            }
        };
        let answer = serde_json::from_slice(&asked).context("a question is garbled").and_then(|ask: Ask| {
            let symbols = match &mut symbols {
                Some(symbols) => symbols,
                none => none.insert(Symbols::read(&run.join(AskFiles::SYMBOLS))?),
            };
            profile(run, &ask, symbols)
        });
        match answer {
            Ok(profile) => write_whole(&run.join(files.done()), &serde_json::to_vec(&profile)?)?,
            Err(why) => write_whole(&run.join(files.failed()), format!("{why:#}").as_bytes())?,
        }
    }
    Ok(())
}

fn profile(run: &Path, ask: &Ask, symbols: &Symbols) -> Result<Profile> {
    let mut remote = socket::attach(run)?;
    let stepped = step_through(&mut remote, ask, symbols);
    remote.let_go()?;
    stepped
}

/// Waits for the call, alone or between others, and steps through it.
fn step_through(remote: &mut Remote, ask: &Ask, symbols: &Symbols) -> Result<Profile> {
    let entry = symbols.start(ENTRY)?;
    let threads = remote.threads()?;
    ensure!(threads.len() == 1, "to count the instructions of a call the guest must have one CPU");
    let deadline = Instant::now() + CALL;
    let thread = loop {
        remote.set_breakpoint(entry)?;
        remote.resume(&threads)?;
        let Some(thread) = remote.wait(deadline)? else {
            bail!("the guest did not call bpf({}) in {} s", ask.command, CALL.as_secs());
        };
        remote.clear_breakpoint(entry)?;
        let at = remote.registers(&thread)?;
        if (at.rip, at.rax, at.rdi) == (entry, BPF, ask.command) {
            break thread;
        }
        // On the spot it would meet the same breakpoint again.
        remote.step(&thread)?;
    };
    let mut spent: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let (mut at, mut instructions) = (entry, 0);
    while at >= KERNEL {
        let (name, start) = symbols.at(at);
        let count = spent.entry(name.to_owned()).or_default();
        count.0 += 1;
        count.1 += u64::from(at == start);
        instructions += 1;
        ensure!(instructions < LONGEST, "the call of bpf({}) does not end", ask.command);
        remote.step(&thread)?;
        at = remote.registers(&thread)?.rip;
    }
    let mut functions: Vec<Spent> = spent
        .into_iter()
        .map(|(function, (instructions, calls))| Spent { function, instructions, calls })
        .collect();
    functions.sort_by(|a, b| b.instructions.cmp(&a.instructions).then_with(|| a.function.cmp(&b.function)));
    let Ask { operation, map, window, .. } = ask.clone();
    Ok(Profile { operation, map, window, kernel: String::new(), instructions, functions })
}

/// Functions of the kernel by address.
struct Symbols(BTreeMap<u64, String>);

impl Symbols {
    fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self::of(&text))
    }

    /// As `/proc/kallsyms` lists them: address, type, name, and `[bpf]` or a module. Of several names for a place the
    /// first counts.
    fn of(text: &str) -> Self {
        let mut symbols = BTreeMap::new();
        for line in text.lines() {
            let mut words = line.split_whitespace();
            let (Some(address), Some(kind), Some(name)) = (words.next(), words.next(), words.next()) else {
                continue;
            };
            if let (Ok(address), true) = (u64::from_str_radix(address, 16), "tTwW".contains(kind)) {
                symbols.entry(address).or_insert_with(|| name.to_owned());
            }
        }
        Self(symbols)
    }

    fn start(&self, wanted: &str) -> Result<u64> {
        let found = self.0.iter().find(|(_, name)| *name == wanted).map(|(address, _)| *address);
        found.filter(|address| *address >= KERNEL).with_context(|| {
            format!("the guest's kernel shows no address of {wanted} (kptr_restrict, or another machine)")
        })
    }

    fn at(&self, address: u64) -> (&str, u64) {
        match self.0.range(..=address).next_back() {
            Some((start, name)) => (name, *start),
            None => ("?", 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_belongs_to_the_function_before_it() {
        let symbols = Symbols::of(
            "ffffffff81000000 T entry_SYSCALL_64\nffffffff81000100 t helper\nffffffff81000100 t alias\n\
             ffffffff81000200 D data\nffffffffc0000000 t bpf_prog_1_x [bpf]\n",
        );
        assert_eq!(symbols.start(ENTRY).unwrap(), 0xffff_ffff_8100_0000);
        assert_eq!(symbols.at(0xffff_ffff_8100_0104).0, "helper");
        assert_eq!(symbols.at(0xffff_ffff_8100_0204).0, "helper");
        assert_eq!(symbols.at(0xffff_ffff_c000_0001).0, "bpf_prog_1_x");
        assert!(Symbols::of("0000000000000000 T entry_SYSCALL_64").start(ENTRY).is_err());
    }
}
