// SPDX-License-Identifier: MIT OR Apache-2.0
//! The wall clock is set between the stamps and a round.

use std::os::fd::AsFd as _;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use cmpdel_uapi::{Map, bindings as abi};
use cmpdel_uapi_raw::{Create, Elements, Errno, map_create};
use results::time::{Collected, Stepped};

use super::wall::{Clock, Set};

/// A step to try.
#[derive(Clone, Copy, Debug)]
pub struct Scene {
    /// In words.
    pub name: &'static str,
    /// Who collects.
    pub by: Collected,
    /// Stamps, and judges.
    pub clock: Clock,
    /// By how much the wall clock is set, in seconds.
    pub step: i64,
    /// Entries are stamped after the step, too.
    pub fresh: bool,
    /// It has to go wrong.
    pub loses: bool,
}

const CMPDEL: Scene =
    Scene { name: "", by: Collected::Cmpdel, clock: Clock::Monotonic, step: HOUR, fresh: true, loses: false };
const KEEP: Scene = Scene { by: Collected::Keep, ..CMPDEL };
const HOUR: i64 = 3600;
/// Less than any machine has run for that stamped an entry of twice the age, and more than the age.
const SOME: i64 = 15;

/// All of them.
pub const SCENES: &[Scene] = &[
    Scene { name: "step: cmpdel gc, monotonic stamps, an hour on", ..CMPDEL },
    Scene { name: "step: cmpdel gc, monotonic stamps, an hour back", step: -HOUR, ..CMPDEL },
    Scene { name: "step: cmpdel gc, boottime stamps, an hour on", clock: Clock::Boottime, ..CMPDEL },
    Scene {
        name: "step: cmpdel gc, boottime stamps, an hour back",
        clock: Clock::Boottime,
        step: -HOUR,
        ..CMPDEL
    },
    Scene { name: "step: cmpdel gc, realtime stamps, no step", clock: Clock::Realtime, step: 0, ..CMPDEL },
    Scene { name: "step: cmpdel gc, realtime stamps, an hour on", clock: Clock::Realtime, ..CMPDEL },
    Scene {
        name: "step: cmpdel gc, realtime stamps, an hour back",
        clock: Clock::Realtime,
        step: -HOUR,
        ..CMPDEL
    },
    Scene {
        name: "step: cmpdel gc, realtime stamps, some seconds on, none stamped since",
        clock: Clock::Realtime,
        step: SOME,
        fresh: false,
        ..CMPDEL
    },
    Scene {
        name: "step: cmpdel gc, realtime stamps, some seconds back",
        clock: Clock::Realtime,
        step: -SOME,
        ..CMPDEL
    },
    Scene {
        name: "step: cmpdel gc, realtime stamps, some seconds on, others stamped since",
        clock: Clock::Realtime,
        step: SOME,
        loses: true,
        ..CMPDEL
    },
    Scene {
        name: "step: cmpdel gc --force, realtime stamps, an hour on",
        by: Collected::Forced,
        clock: Clock::Realtime,
        loses: true,
        ..CMPDEL
    },
    Scene { name: "step: keep's collector, monotonic stamps, an hour on", ..KEEP },
    Scene { name: "step: keep's collector, monotonic stamps, an hour back", step: -HOUR, ..KEEP },
    Scene {
        name: "step: keep's collector, realtime stamps, an hour back",
        clock: Clock::Realtime,
        step: -HOUR,
        ..KEEP
    },
    Scene {
        name: "step: keep's collector, realtime stamps, an hour on",
        clock: Clock::Realtime,
        loses: true,
        ..KEEP
    },
];

/// Entries that live, that have expired, and that are stamped after the step.
const LIVE: u32 = 20;
const EXPIRED: u32 = 6;
const FRESH: u32 = 4;
/// What is older has expired.
const AGE: i64 = 10;
const SECOND: i64 = 1_000_000_000;
/// Of what the command said.
const SAID: usize = 400;

/// Sets the clock, has a round made, and says what is left.
///
/// # Errors
/// When the clock cannot be set, or a call fails.
pub fn run(scene: &Scene, cmpdel: &Path) -> Result<Stepped> {
    // The oldest stamp has to lie behind the boot.
    while Clock::Boottime.now() < (3 * AGE) * SECOND {
        thread::sleep(Duration::from_millis(200));
    }
    let create = Create {
        map_type: abi::BPF_MAP_TYPE_HASH,
        key_size: 4,
        value_size: 16,
        max_entries: 64,
        name: "stamped",
        ..Create::default()
    };
    let map = map_create(&create).context("cannot make a map")?;
    let elements = Elements::new(map.as_fd()).context("cannot use a map")?;
    let stamp = |keys: std::ops::Range<u32>, ago: i64| -> Result<()> {
        let mut value = [0; 16];
        value[..8].copy_from_slice(&(scene.clock.now() - ago * SECOND).to_ne_bytes());
        for key in keys {
            elements
                .update(&key.to_ne_bytes(), &value, abi::BPF_ANY.into())
                .map_err(|errno| anyhow::anyhow!("cannot stamp an entry: {errno}"))?;
        }
        Ok(())
    };
    let (live, expired) = (0..LIVE, LIVE..LIVE + EXPIRED);
    let fresh = expired.end..expired.end + if scene.fresh { FRESH } else { 0 };
    stamp(live.clone(), 0)?;
    stamp(expired.clone(), 2 * AGE)?;
    let set = Set::by(scene.step * SECOND)?;
    stamp(fresh.clone(), 0)?;
    let (exit, said) = match scene.by {
        Collected::Keep => {
            let field = keep::Field::unsigned(0, 8);
            let mut collector = keep::Plan::new(map.as_fd(), field).open()?;
            let round = collector.round_counted((scene.clock.now() - AGE * SECOND).into())?;
            (None, format!("{} deleted, {} kept", round.deleted, round.kept))
        }
        by => gc(scene, by == Collected::Forced, cmpdel, Map::new(map.as_fd())?.info().id)?,
    };
    drop(set);
    let left = |keys: std::ops::Range<u32>| -> Result<u64> {
        let mut there = 0;
        for key in keys {
            match elements.look_up(&key.to_ne_bytes(), &mut [0; 16], 0) {
                Ok(()) => there += 1,
                Err(Errno(libc::ENOENT)) => {}
                Err(errno) => bail!("cannot look for an entry: {errno}"),
            }
        }
        Ok(there)
    };
    Ok(Stepped {
        by: scene.by,
        clock: scene.clock.name().into(),
        step_s: scene.step,
        live: LIVE.into(),
        expired: EXPIRED.into(),
        fresh: fresh.len() as u64,
        loses: scene.loses,
        live_left: left(live)? + left(fresh)?,
        expired_left: left(expired)?,
        exit,
        said: said.chars().take(SAID).collect(),
    })
}

/// The command, as people type it.
fn gc(scene: &Scene, force: bool, cmpdel: &Path, id: u32) -> Result<(Option<i32>, String)> {
    let mut command = Command::new(cmpdel);
    command.args(["gc", "--id", &id.to_string(), "--offset", "0", "--type", "u64"]);
    command.args(["--clock", scene.clock.name(), "--older-than", &format!("{AGE}s")]);
    if force {
        command.arg("--force");
    }
    let output = command.output().with_context(|| format!("cannot run {}", cmpdel.display()))?;
    let said = [output.stdout, output.stderr].concat();
    Ok((output.status.code(), String::from_utf8_lossy(&said).trim().to_owned()))
}
