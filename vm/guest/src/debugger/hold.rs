// SPDX-License-Identifier: MIT OR Apache-2.0
//! One hold, from arming to the moment at which all may go on.
//!
//! The vCPU that enters the function is followed alone, so that no other caller of the callee is met: `memcmp` is called
//! from everywhere. Between the callee's return and the release only the others run.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use results::races::hold::{At, Call, Other, Report, Request};

use super::{
    lasting,
    lock::gain,
    remote::{Registers, Remote, Thread},
};

/// For the guest to call the function. It does so as soon as it sees that the host is armed.
const ENTRY: Duration = Duration::from_secs(20);
/// For the vCPU to come from the function's entry to the callee. A few hundred instructions, unless it is interrupted.
const CALL: Duration = Duration::from_secs(5);
/// For the other side to come to its mark, or to a lock.
const PASS: Duration = Duration::from_secs(10);
/// Between looks at where the others are. Two looks in a row at a vCPU in a lock's slow path are a verdict, and have to
/// come before the lock gives up: rqspinlock does after 250 ms, under a hypervisor after 1 s.
const LOOK: Duration = Duration::from_millis(60);
/// Calls of the callee that are not the one, before the search is given up.
const OTHER_CALLS: u32 = 1000;

/// Holds the next vCPU that makes the wanted call, until another has come to the mark or to a lock. Calls `armed` before
/// the guest first goes on. Leaves breakpoints behind, and the guest stopped or not: [`Remote::let_go`] ends both.
///
/// # Errors
/// When anything of it does not come about in time, or `wanted` says that nobody waits for it any more.
pub fn hold(
    remote: &mut Remote,
    request: &Request,
    armed: impl FnOnce() -> Result<()>,
    wanted: &dyn Fn() -> bool,
) -> Result<Report> {
    let threads = remote.threads()?;
    ensure!(threads.len() > 1, "the guest has one CPU: while it is held nothing else can run");
    armed()?;
    let (held, found) = enter(remote, request, &threads, wanted)?;
    if let At::Return(Call { callee, result: Some(result), .. }) = &request.at {
        let returned = found.rax.to_le_bytes();
        let returned = i32::from_le_bytes([returned[0], returned[1], returned[2], returned[3]]);
        ensure!(
            returned == *result,
            "{} returned {returned} in {}, not {result}: what was to be held does not happen",
            callee.name,
            request.function.name
        );
    }
    remote.write_half_word(&held, request.flag, 1).context("cannot tell the guest that its vCPU is held")?;
    let others: Vec<Thread> = threads.into_iter().filter(|thread| *thread != held).collect();
    let other = match request.lasts {
        Some(ms) => {
            let other = lasting::run_others(remote, request, &others, Duration::from_millis(ms), wanted)?;
            remote
                .write_half_word(&held, request.flag, 2)
                .context("cannot tell the guest that it goes on")?;
            other
        }
        None => run_others(remote, request, &others, wanted)?,
    };
    Ok(Report { at: found.rip, interrupts_off: found.interrupts_off(), other })
}

/// To the place that is asked for; which vCPU it is, and its registers.
fn enter(
    remote: &mut Remote,
    request: &Request,
    threads: &[Thread],
    wanted: &dyn Fn() -> bool,
) -> Result<(Thread, Registers)> {
    let deadline = Instant::now() + ENTRY;
    let entry = request.function.start;
    loop {
        remote.set_breakpoint(entry)?;
        remote.resume(threads)?;
        let Some(thread) = wait(remote, deadline, wanted)? else {
            let call = match &request.at {
                At::Return(call) => format!(", or did not call {} as asked", call.callee.name),
                At::Entry | At::Lock => String::new(),
            };
            bail!("in {} s {} was not called{call}", ENTRY.as_secs(), request.function.name);
        };
        remote.clear_breakpoint(entry)?;
        let at = remote.registers(&thread)?;
        ensure!(at.rip == entry, "vCPU {thread} stopped at {:#x}, where there is no breakpoint", at.rip);
        let found = match &request.at {
            At::Entry => Some(at),
            At::Lock => gain(remote, &thread, &at)?,
            At::Return(call) => follow(remote, request, call, threads, &thread, &at)?,
        };
        if let Some(found) = found {
            return Ok((thread, found));
        }
    }
}

/// From the function's entry to the wanted call's return, that vCPU alone. `None`: the function returned without it.
fn follow(
    remote: &mut Remote,
    request: &Request,
    call: &Call,
    threads: &[Thread],
    thread: &Thread,
    entry: &Registers,
) -> Result<Option<Registers>> {
    let callee = call.callee.start;
    let caller = remote.read_word(thread, entry.rsp)?;
    remote.set_breakpoint(callee)?;
    remote.set_breakpoint(caller)?;
    let deadline = Instant::now() + CALL;
    for _ in 0..OTHER_CALLS {
        let (stopped, at) = run_alone(remote, request, call, threads, thread, deadline)?;
        if stopped == *thread && at.rip == callee {
            let back = remote.read_word(thread, at.rsp)?;
            // Called by the function, or by one that the compiler has left outside of it: what an interrupt calls in
            // between does not come with interrupts disabled by a lock.
            let inside = request.function.contains(back) || at.interrupts_off();
            if inside && call.size.is_none_or(|size| size == at.rdx) {
                remote.clear_breakpoint(callee)?;
                remote.clear_breakpoint(caller)?;
                return to_return(remote, call, thread, &at, back).map(Some);
            }
        } else if stopped == *thread && at.rip == caller && at.rsp == entry.rsp + 8 {
            remote.clear_breakpoint(callee)?;
            remote.clear_breakpoint(caller)?;
            return Ok(None);
        }
        // On the spot a vCPU would meet the same breakpoint again.
        remote.clear_breakpoint(at.rip)?;
        remote.step(&stopped)?;
        remote.set_breakpoint(at.rip)?;
    }
    bail!("{OTHER_CALLS} calls of {} and none is the one to hold", call.callee.name)
}

/// Lets one vCPU go to a breakpoint, alone while it gets on. Until it has a lock it can be interrupted, and what the
/// interrupt does may wait for a vCPU that stands still (the scheduler's lock, say): then all go until a breakpoint, which
/// may be met by another vCPU.
fn run_alone(
    remote: &mut Remote,
    request: &Request,
    call: &Call,
    threads: &[Thread],
    thread: &Thread,
    deadline: Instant,
) -> Result<(Thread, Registers)> {
    remote.resume(std::slice::from_ref(thread))?;
    let mut stopped = remote.wait(Instant::now() + LOOK)?;
    if stopped.is_none() {
        // One that came to its breakpoint just now stays there, and says so again.
        remote.interrupt()?;
        remote.resume(threads)?;
        stopped = remote.wait(deadline)?;
    }
    let Some(stopped) = stopped else {
        remote.interrupt()?;
        let at = remote.registers(thread)?.rip;
        bail!(
            "vCPU {thread} did not come from {} to {} in {} s: it is at {at:#x}",
            request.function.name,
            call.callee.name,
            CALL.as_secs()
        );
    };
    let at = remote.registers(&stopped)?;
    Ok((stopped, at))
}

/// From the callee's entry to its return, that vCPU alone.
fn to_return(
    remote: &mut Remote,
    call: &Call,
    thread: &Thread,
    entry: &Registers,
    back: u64,
) -> Result<Registers> {
    remote.set_breakpoint(back)?;
    remote.resume(std::slice::from_ref(thread))?;
    if remote.wait(Instant::now() + CALL)?.is_none() {
        remote.interrupt()?;
    }
    remote.clear_breakpoint(back)?;
    let at = remote.registers(thread)?;
    // Another stack would be that of another task.
    ensure!(
        at.rip == back && at.rsp == entry.rsp + 8,
        "vCPU {thread} is at {:#x} where {} should have returned to {back:#x}",
        at.rip,
        call.callee.name
    );
    Ok(at)
}

/// Lets all but the held vCPU go, until one comes to the mark or waits for a lock.
fn run_others(
    remote: &mut Remote,
    request: &Request,
    others: &[Thread],
    wanted: &dyn Fn() -> bool,
) -> Result<Other> {
    let deadline = Instant::now() + PASS;
    let mark = request.mark.start;
    let mut waiting = None;
    remote.set_breakpoint(mark)?;
    loop {
        remote.resume(others)?;
        if remote.wait(Instant::now() + LOOK)?.is_none() {
            remote.interrupt()?;
        }
        let mut at = Vec::new();
        for other in others {
            at.push(remote.registers(other)?.rip);
        }
        if at.contains(&mark) {
            return Ok(Other::Passed);
        }
        let in_lock = at.iter().copied().find(|at| request.locks.iter().any(|lock| lock.contains(*at)));
        if let (Some(_), Some(at)) = (waiting, in_lock) {
            return Ok(Other::Waited { at });
        }
        waiting = in_lock;
        if Instant::now() >= deadline || !wanted() {
            let at: Vec<String> = at.iter().map(|at| format!("{at:#x}")).collect();
            bail!(
                "with a vCPU held in {}, no other came to {} in {} s: last seen at {}",
                request.function.name,
                request.mark.name,
                PASS.as_secs(),
                at.join(" and ")
            );
        }
    }
}

/// As [`Remote::wait`], unless nobody wants it any more.
fn wait(remote: &mut Remote, deadline: Instant, wanted: &dyn Fn() -> bool) -> Result<Option<Thread>> {
    loop {
        let slice = (Instant::now() + LOOK).min(deadline);
        if let Some(thread) = remote.wait(slice)? {
            return Ok(Some(thread));
        }
        if Instant::now() >= deadline {
            return Ok(None);
        }
        ensure!(wanted(), "the run is over");
    }
}
