// SPDX-License-Identifier: MIT OR Apache-2.0
//! One run at a time for each thing that is made. The kernel drops the lock of a run that dies.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    path::Path,
    thread,
    time::Duration,
};

use anyhow::{Context, Result};

use crate::{context::Ctx, events::Event, hash::short_hash};

/// Held until dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Takes the lock `name`, waiting for the run that has it. `what` completes "another run is …".
///
/// # Errors
/// When the time limit passes or the run is interrupted while waiting, or the lock file cannot be used.
pub fn take(ctx: &Ctx, name: &str, what: &str) -> Result<Lock> {
    let path = ctx.cache.dir("locks")?.join(format!("{name}.lock"));
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .with_context(|| format!("cannot open the lock {}", path.display()))?;
    let mut told = false;
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) => {
                if !told {
                    let mut pid = String::new();
                    file.rewind()?;
                    file.read_to_string(&mut pid)?;
                    let text = format!("another run (pid {}) is {what}", pid.trim());
                    ctx.events.emit(&Event::Waiting { text });
                    told = true;
                }
                ctx.still_wanted().with_context(|| format!("waited for another run that is {what}"))?;
                thread::sleep(Duration::from_millis(100));
            }
            Err(TryLockError::Error(e)) => {
                return Err(e).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
    }
    file.set_len(0)?;
    file.rewind()?;
    write!(file, "{}", std::process::id())?;
    Ok(Lock { _file: file })
}

/// Takes the lock of the output folder: one run at a time writes its logs and its report.
///
/// # Errors
/// As [`take`].
pub fn take_output(ctx: &Ctx) -> Result<Lock> {
    take_folder(ctx, &ctx.out)
}

/// The same for one folder alone.
///
/// # Errors
/// As [`take`].
pub fn take_folder(ctx: &Ctx, folder: &Path) -> Result<Lock> {
    let name = format!("output-{}", short_hash(&[folder.as_os_str().as_encoded_bytes()]));
    take(ctx, &name, &format!("using {}", folder.display()))
}
