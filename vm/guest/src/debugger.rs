// SPDX-License-Identifier: MIT OR Apache-2.0
//! Holds a vCPU of the guest inside a kernel function, where no BPF program can pause it, by means of QEMU's gdb stub.
//! The guest asks through files in the run folder ([`results::races::hold`]); `serve` answers them.
//!
//! Tried under emulation (multi-threaded TCG, QEMU 7.2, 2 vCPUs): after `vCont;c:THREAD` one vCPU runs alone, and the
//! other one keeps its registers, its disabled interrupts and its lock. The guest's clock stands still whenever all vCPUs
//! do, so that nothing in it times out for the debugger's slowness. KVM takes the same commands and sets the breakpoints in
//! the vCPU's debug registers, of which it has four; here two at most are set at once. That could not be tried: where this
//! was written QEMU aborts with KVM before the guest's first instruction.

mod hold;
mod lasting;
mod lock;
mod packet;
pub mod remote;
pub mod socket;

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use anyhow::{Context, Result};
use ground::cache::write_whole;
use results::races::hold::{Files, Report, Request};

use crate::beside::Beside;

/// Between looks for a request.
const TICK: Duration = Duration::from_millis(10);

/// The debugger beside the guest that uses the fresh folder `run`.
pub fn beside(run: &Path) -> Beside<'_> {
    Beside { qemu: socket::qemu_options(), task: Some(Box::new(|over| serve(run, over))) }
}

/// Whether QEMU no longer did as it was told, by what was answered in the folder `run`: then whatever became of that guest says
/// nothing of its kernel.
pub fn is_lost(run: &Path) -> bool {
    let answers = (0..).map(Files).take_while(|files| run.join(files.request()).exists());
    let mut failed = answers.filter_map(|files| fs::read_to_string(run.join(files.failed())).ok());
    failed.any(|why| why.contains(remote::DEAF))
}

/// Serves the requests of the guest that uses the fresh folder `run`, until `over`. The guest need not be up yet; between
/// two holds no debugger is connected. What goes wrong with a hold is told to the guest, who asked.
///
/// # Errors
/// When an answer cannot be written; the guest then gives up by its own limit.
fn serve(run: &Path, over: &AtomicBool) -> Result<()> {
    let wanted = || !over.load(Ordering::Relaxed);
    let mut number = 0;
    while wanted() {
        let files = Files(number);
        let Ok(request) = fs::read(run.join(files.request())) else {
            thread::sleep(TICK);
            continue;
        };
        match answer(run, files, &request, &wanted) {
            Ok(report) => write_whole(&run.join(files.done()), &serde_json::to_vec(&report)?)?,
            Err(why) => write_whole(&run.join(files.failed()), format!("{why:#}").as_bytes())?,
        }
        number += 1;
    }
    Ok(())
}

/// Whatever happens in between, the last act is to let the guest go.
fn answer(run: &Path, files: Files, request: &[u8], wanted: &dyn Fn() -> bool) -> Result<Report> {
    let request: Request = serde_json::from_slice(request)
        .with_context(|| format!("{} is no request to hold a vCPU", files.request()))?;
    let mut remote = socket::attach(run)?;
    let armed = || write_whole(&run.join(files.armed()), b"");
    let report = hold::hold(&mut remote, &request, armed, wanted);
    match (report, remote.let_go()) {
        (Ok(report), Ok(())) => Ok(report),
        (Ok(_), Err(e)) => Err(e.context("the guest could not be let go")),
        (Err(why), Ok(())) => Err(why),
        (Err(why), Err(e)) => Err(why.context(format!("the guest could not be let go ({e:#}) after this"))),
    }
}

#[cfg(test)]
mod tests;
