// SPDX-License-Identifier: MIT OR Apache-2.0
//! KVM or TCG. That /dev/kvm opens proves nothing: there are machines on which a guest then hangs or QEMU aborts.
//! Only a guest that says something through the result channel proves it.

use std::{env, fs, fs::OpenOptions, io::ErrorKind, path::PathBuf, time::Duration};

use anyhow::{Context, Result, bail};
use ground::{
    cache::{read_if_there, write_whole},
    context::Ctx,
    exec, lock,
};
use results::Accel;
use serde::{Deserialize, Serialize};
use xshell::cmd;

use crate::machine::{Choice, Machine};

/// Whether a guest on this machine comes up in this time.
pub type ComesUp<'a> = &'a dyn Fn(&Machine, Duration) -> Result<bool>;

/// A guest that has KVM is up long before.
const LIMIT: Duration = Duration::from_secs(25);

/// Who demands it waits for a slow one: a machine that is itself a guest, say.
const PATIENCE: Duration = Duration::from_secs(300);

/// Where it is remembered, in the cache.
const MEMORY: &str = "accel.json";

/// What is said of a device that is known not to do, with the mend.
pub const EARLIER: &str =
    "a guest started with it said nothing, earlier since this machine was booted: --accel kvm tries again";

/// What a probe found, and on which boot of the host with which QEMU.
#[derive(Debug, Serialize, Deserialize)]
struct Memory {
    host: String,
    works: bool,
}

/// Decides, if need be by whether a guest comes up; says whether no guest had to be started for it.
///
/// # Errors
/// When KVM is demanded and does not work.
pub fn choose(ctx: &Ctx, choice: Choice, comes_up: ComesUp<'_>) -> Result<(Accel, bool)> {
    if choice == Choice::Tcg {
        return Ok((Accel::Tcg, true));
    }
    let (works, cached, why) = match device() {
        Err(why) => (false, true, why),
        Ok(()) => {
            // Whoever demands it knows more than what was once found.
            let (works, cached) = probe(ctx, comes_up, choice == Choice::Kvm)?;
            let why = if cached { EARLIER } else { "a guest started with it says nothing" };
            (works, cached, why.to_owned())
        }
    };
    match (choice, works) {
        (_, true) => Ok((Accel::Kvm, cached)),
        (Choice::Kvm, false) => {
            bail!("KVM does not work here: {why}; leave out --accel kvm to run under emulation (TCG)")
        }
        (_, false) => {
            ctx.events.note(format!("no KVM here ({why}): the guest runs under emulation (TCG)"));
            Ok((Accel::Tcg, cached))
        }
    }
}

/// Has the next run find out anew.
///
/// # Errors
/// When what is remembered cannot be removed.
pub fn forget(ctx: &Ctx) -> Result<()> {
    let memory = ctx.cache.root().join(MEMORY);
    match fs::remove_file(&memory) {
        Err(e) if e.kind() != ErrorKind::NotFound => {
            Err(e).with_context(|| format!("cannot remove {}", memory.display()))
        }
        _ => Ok(()),
    }
}

/// Whether the device is there and may be used.
///
/// # Errors
/// Why not.
pub fn device() -> Result<(), String> {
    let device = env::var_os("XTASK_KVM").map_or_else(|| "/dev/kvm".into(), PathBuf::from);
    match OpenOptions::new().read(true).write(true).open(&device) {
        Ok(_) => Ok(()),
        Err(e) if e.kind() == ErrorKind::PermissionDenied => {
            Err(format!("{}: {e}; whoever is in its group, mostly `kvm`, may open it", device.display()))
        }
        Err(e) => Err(format!("{}: {e}", device.display())),
    }
}

/// What was found out on this boot of the host with this QEMU, if anything was.
///
/// # Errors
/// When what is remembered cannot be read.
pub fn remembered(ctx: &Ctx) -> Result<Option<bool>> {
    let known = read_if_there(&ctx.cache.root().join(MEMORY))?;
    let known = known.and_then(|text| serde_json::from_str::<Memory>(&text).ok());
    Ok(match known {
        Some(known) if host(ctx).is_ok_and(|host| host == known.host) => Some(known.works),
        _ => None,
    })
}

/// Names this boot of the host and its QEMU.
fn host(ctx: &Ctx) -> Result<String> {
    let sh = &ctx.sh;
    let boot_id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let qemu = exec::read(ctx, cmd!(sh, "qemu-system-x86_64 --version"))?;
    Ok(format!("{} {}", boot_id.trim(), qemu.lines().next().unwrap_or_default()))
}

/// Whether a guest starts with it, and whether that was known. `again`: what did not work is tried again, and for longer.
fn probe(ctx: &Ctx, comes_up: ComesUp<'_>, again: bool) -> Result<(bool, bool)> {
    let _lock = lock::take(ctx, "accel", "finding out whether KVM works")?;
    if let Some(works) = remembered(ctx)?.filter(|works| *works || !again) {
        return Ok((works, true));
    }
    let machine = Machine { accel: Accel::Kvm, cpus: 1, memory: "1G".into() };
    let works = comes_up(&machine, if again { PATIENCE } else { LIMIT })?;
    let memory = Memory { host: host(ctx)?, works };
    write_whole(&ctx.cache.root().join(MEMORY), &serde_json::to_vec(&memory)?)?;
    Ok((works, false))
}
