// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a command leaves its record, which is there only if this run wrote it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use ground::{
    context::Ctx,
    events::Event,
    lock::{self, Lock},
    outcome::{Count, Done, Outcome},
};

use crate::{run_report::Report, say::say};

/// Room for the record of one run. While it is held nobody else writes to it.
pub struct Room {
    /// The folder, for what else there is to keep.
    pub folder: PathBuf,
    /// The record.
    pub path: PathBuf,
    _lock: Lock,
}

/// Makes room for `target/FOLDER/FILE`: what an earlier run left must not be taken for this one's.
///
/// # Errors
/// When the folder cannot be made, or another run holds it.
pub fn open(ctx: &Ctx, folder: &str, file: &str) -> Result<Room> {
    room(ctx, lock::take_folder(ctx, &ctx.out)?, folder, file)
}

/// The same in a folder that no other command writes to, so that this one waits for none but itself.
///
/// # Errors
/// As of [`open`].
pub fn open_apart(ctx: &Ctx, folder: &str, file: &str) -> Result<Room> {
    room(ctx, lock::take_folder(ctx, &ctx.target.join(folder))?, folder, file)
}

fn room(ctx: &Ctx, lock: Lock, folder: &str, file: &str) -> Result<Room> {
    let folder = ctx.target.join(folder);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let path = folder.join(file);
    let _ = fs::remove_file(&path);
    Ok(Room { folder, path, _lock: lock })
}

impl Room {
    /// Keeps the events of the run beside the record.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn keep_events(&self, ctx: &Ctx) -> Result<()> {
        ctx.events.keep_in(&self.folder.join("events.jsonl"))
    }
}

/// Tells how a run ended whose record is at `path`. With `json`, standard output holds that record alone.
///
/// # Errors
/// When the record cannot be read back.
pub fn end(ctx: &Ctx, path: &Path, report: &Report, count: Count, json: bool) -> Result<Done> {
    let mut files = vec![path.to_owned()];
    if report.verdict != Outcome::Passed {
        files.extend(report.consoles.iter().filter(|path| path.exists()).cloned());
    }
    ctx.events.emit(&Event::Verdict { outcome: report.verdict, reason: report.reason.clone(), files });
    if json {
        say!("{}", fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?)?;
    }
    let counts = !json && report.verdict != Outcome::CouldNotRun;
    Ok(Done { outcome: report.verdict, count: counts.then_some(count) })
}
