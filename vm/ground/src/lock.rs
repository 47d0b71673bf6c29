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

use crate::{hash::short_hash, run::Run};

/// Held until dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Takes the lock `name`, waiting for the run that has it. `what` completes "another run is …".
///
/// # Errors
/// When the time limit passes or the run is interrupted while waiting, or the lock file cannot be used.
pub fn take(run: &dyn Run, name: &str, what: &str) -> Result<Lock> {
    let path = run.locks()?.join(format!("{name}.lock"));
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
                    run.waits(&format!("another run (pid {}) is {what}", pid.trim()));
                    told = true;
                }
                run.still_wanted().with_context(|| format!("waited for another run that is {what}"))?;
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

/// Takes the lock of a folder: one run at a time writes its logs and its report there.
///
/// # Errors
/// As [`take`].
pub fn take_folder(run: &dyn Run, folder: &Path) -> Result<Lock> {
    let name = format!("output-{}", short_hash(&[folder.as_os_str().as_encoded_bytes()]));
    take(run, &name, &format!("using {}", folder.display()))
}
