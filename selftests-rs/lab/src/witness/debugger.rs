// SPDX-License-Identifier: MIT OR Apache-2.0
//! Asks the host to hold the CPU of one thread inside a kernel function, with whatever lock it has there, while another
//! thread does its part: what no BPF program can pause.
//!
//! While the CPU is held, the other thread may do nothing that waits for that CPU: give memory back (the TLB's
//! shoot-down), or change the kernel's text (an XDP test run with `repeat` > 1). An XDP or syscall test run with `repeat`
//! 1 and map operations are fine, and so are files: the interrupts go to the other CPU meanwhile.

mod interrupts;
mod kernel;

use std::fmt;
use std::fs;
use std::hint;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use results::races::hold::{At, Call, Files, Other, Report, Request};
use rustix::process::getsid;

use interrupts::Interrupts;

use crate::cpus::{on_cpu, pin};
use kernel::Kernel;

/// The system call of [`mark`]: hardly anybody else's, and it does nothing.
const MARK: &str = "__x64_sys_getsid";
/// Where a CPU waits for a lock: the slow path of the buckets' resilient lock, of the same under a hypervisor, and of
/// `bpf_spin_lock`.
const LOCKS: [&str; 3] =
    ["resilient_queued_spin_lock_slowpath", "resilient_tas_spin_lock", "queued_spin_lock_slowpath"];

/// What compares and deletes in the series as it was posted.
const AS_POSTED: &str = "htab_map_delete_elem_cmp";

/// For the host to have connected and stopped the guest. It serves one hold after the other.
const ARMED: Duration = Duration::from_secs(60);
/// For the host to say how it ended; longer than all its limits together.
const ANSWER: Duration = Duration::from_secs(120);
/// Between looks for a file of the host.
const TICK: Duration = Duration::from_millis(20);

/// Where to hold, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Spot<'a> {
    /// The kernel function, or the program as the kernel names it.
    pub function: &'a str,
    /// Where in it.
    pub place: Place<'a>,
    /// Whatever the other side does; without it, until that is done or waits for a lock.
    pub lasts: Option<Duration>,
}

/// Where in a function to hold.
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    /// At its first instruction.
    Entry,
    /// When it has just gained a lock.
    Lock,
    /// At the instruction after a call.
    Return {
        /// Of what, by the function itself or under its lock by way of another.
        callee: &'a str,
        /// The third argument of the call, where there are others.
        size: Option<u64>,
        /// What the call has to return.
        result: Option<i32>,
    },
}

impl<'a> Spot<'a> {
    /// `function`, a compare-and-delete, between its compare and its unlink. The window has to be of a size that the kernel
    /// hands to `memcmp` (not 1, 2, 4 or 8 bytes and aligned), and no key of that map may be of it.
    #[must_use]
    pub fn compared(function: &'a str, window: u32) -> Self {
        let place = Place::Return { callee: "memcmp", size: Some(window.into()), result: Some(0) };
        Spot { function, place, lasts: None }
    }
}

/// A hold that came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The place, as the kernel names it: `function+0x123`.
    pub at: String,
    /// Interrupts were disabled there.
    pub interrupts_off: bool,
    /// `None`: the other side was done before the held one went on. Otherwise it waited for a lock of the held one, in this
    /// function, and the two were let go together: it did not come between.
    pub waited: Option<String>,
    /// Of a hold that lasts: how often the other side was looked at, and how often it waited for a lock.
    pub looks: (u32, u32),
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let interrupts = if self.interrupts_off { "off" } else { "on" };
        write!(f, "held at {} with interrupts {interrupts}; ", self.at)?;
        match &self.waited {
            None => f.write_str("the other side was done meanwhile"),
            Some(lock) => write!(f, "the other side waited for it in {lock}"),
        }
    }
}

/// The host's debugger, as this guest uses it.
pub struct Debugger<'a> {
    run: &'a Path,
    kernel: Kernel,
}

impl<'a> Debugger<'a> {
    /// The one that serves the folder `run`, which host and guest share.
    ///
    /// # Errors
    /// When the kernel does not tell its symbols.
    pub fn new(run: &'a Path) -> Result<Self> {
        Ok(Self { run, kernel: Kernel::read()? })
    }

    /// Runs `first` in a thread on CPU `cpus.0` and holds it at `spot`; then runs `second`, in the caller's own thread, on
    /// CPU `cpus.1` to its end; then lets both go. `second` has to return promptly, unless the hold lasts: the host waits 10 s
    /// for it. It can ask whether a hold that lasts goes on. Gives what the two returned, and how the hold went.
    ///
    /// # Errors
    /// When the spot does not exist in this kernel, the host has no debugger, or the hold did not come about. The guest
    /// runs on in each case; no verdict can be drawn from what the two did.
    pub fn hold<A: Send, B>(
        &self,
        spot: &Spot<'_>,
        cpus: (usize, usize),
        first: impl FnOnce() -> Result<A> + Send,
        second: impl FnOnce(&dyn Fn() -> bool) -> Result<B>,
    ) -> Result<(A, B, Held)> {
        let baton = Baton::default();
        let request = self.request(spot, &baton)?;
        let _interrupts = Interrupts::to(cpus.1)?;
        let (held, other, report) = thread::scope(|scope| {
            let baton = &baton;
            let held = scope.spawn(move || {
                pin(cpus.0)?;
                if baton.wait(|| baton.armed.load(Ordering::Acquire)) { first().map(Some) } else { Ok(None) }
            });
            let report = scope.spawn(|| {
                let report = ask(self.run, &request, &baton.armed);
                baton.over.store(true, Ordering::Release);
                report
            });
            let other = on_cpu(cpus.1, || {
                // Written by the host into this process's memory.
                if !baton.wait(|| baton.held.load(Ordering::Acquire) != 0) {
                    return Ok(None);
                }
                let done = second(&|| baton.held.load(Ordering::Acquire) == HELD);
                mark();
                done.map(Some)
            });
            (held.join(), other, report.join())
        });
        let (Ok(held), Ok(report)) = (held, report) else { bail!("a thread panicked while a CPU was held") };
        // If one of the two failed, that is why there was nothing to hold.
        let (held, other) = (held.context("what was to be held")?, other.context("beside the held CPU")?);
        let report = report.map_err(|e| anyhow!(self.kernel.with_names(&format!("{e:#}"))))?;
        let (Some(held), Some(other)) = (held, other) else {
            bail!("the host says that it held a CPU, and the thread on the other one never heard of it");
        };
        let (waited, looks) = match report.other {
            Other::Passed => (None, (0, 0)),
            Other::Waited { at } => (Some(at), (1, 1)),
            Other::Lasted { looks, waiting, at } => (at, (looks, waiting)),
        };
        let waited = waited.map(|at| self.kernel.name(at));
        let at = self.kernel.name(report.at);
        Ok((held, other, Held { at, interrupts_off: report.interrupts_off, waited, looks }))
    }

    fn request(&self, spot: &Spot<'_>, baton: &Baton) -> Result<Request> {
        Ok(Request {
            function: self.kernel.symbol_or(spot.function, AS_POSTED)?,
            at: match spot.place {
                Place::Entry => At::Entry,
                Place::Lock => At::Lock,
                Place::Return { callee, size, result } => {
                    At::Return(Call { callee: self.kernel.symbol(callee)?, size, result })
                }
            },
            lasts: spot.lasts.map(|lasts| u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX)),
            mark: self.kernel.symbol(MARK)?,
            locks: LOCKS.iter().filter_map(|name| self.kernel.symbol(name).ok()).collect(),
            flag: (&raw const baton.held).addr() as u64,
        })
    }
}

/// While a hold lasts.
const HELD: u32 = 1;

/// What the threads tell each other, and the host them, without a system call.
#[derive(Default)]
struct Baton {
    /// The host will hold whoever enters the function.
    armed: AtomicBool,
    /// Not 0: a CPU is held. More than [`HELD`]: a hold that was to last is over.
    held: AtomicU32,
    /// The host has said its last word.
    over: AtomicBool,
}

impl Baton {
    /// Waits for `ready`; false if it is all over instead.
    fn wait(&self, ready: impl Fn() -> bool) -> bool {
        loop {
            // In this order: what the host said last may be that all went well.
            let over = self.over.load(Ordering::Acquire);
            if ready() {
                return true;
            }
            if over {
                return false;
            }
            hint::spin_loop();
        }
    }
}

/// Says to the host that this thread is done: a system call that it has a breakpoint on.
fn mark() {
    // Nobody is interested in the answer.
    let _ = getsid(None);
}

/// One request from the writing of it to the host's last word.
fn ask(run: &Path, request: &Request, armed: &AtomicBool) -> Result<Report> {
    let files = submit(run, request)?;
    let failed = || match fs::read_to_string(run.join(files.failed())) {
        Ok(why) => bail!("the host could not hold a CPU: {why}"),
        Err(_) => Ok(()),
    };
    let begun = Instant::now();
    while !run.join(files.armed()).exists() {
        failed()?;
        ensure!(
            begun.elapsed() < ARMED,
            "the host does not answer {}: no debugger serves this guest",
            files.request()
        );
        thread::sleep(TICK);
    }
    armed.store(true, Ordering::Release);
    loop {
        failed()?;
        if let Ok(report) = fs::read(run.join(files.done())) {
            return serde_json::from_slice(&report)
                .with_context(|| format!("{} is no report of a hold", files.done()));
        }
        ensure!(begun.elapsed() < ANSWER, "the host armed the hold and then did not say how it ended");
        thread::sleep(TICK);
    }
}

/// Writes the request under the first free number, whole or not at all.
fn submit(run: &Path, request: &Request) -> Result<Files> {
    let files = (0..).map(Files).find(|files| !run.join(files.request()).exists());
    let files = files.context("no number is free for a request to the host")?;
    let new = run.join(format!("{}.new", files.request()));
    fs::write(&new, serde_json::to_vec(request)?)
        .and_then(|()| fs::rename(&new, run.join(files.request())))
        .with_context(|| format!("cannot write {} for the host", files.request()))?;
    Ok(files)
}
