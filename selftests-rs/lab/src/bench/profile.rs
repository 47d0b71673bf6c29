// SPDX-License-Identifier: MIT OR Apache-2.0
//! Has the host step through single calls: asks by a file, and makes the call again and again until there is an answer.

use std::fs;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use cmpdel_uapi::bindings as abi;
use results::bench::{Ask, AskFiles};

use super::stage::{self, LIVE, Stage};
use super::{Not, operations};
use crate::datapath::MapKind;

/// What is looked at, and the command that it is known by among the calls that set its stage.
const ASKED: [(&str, Option<u32>, u32); 7] = [
    ("look-up", None, abi::BPF_MAP_LOOKUP_ELEM),
    ("delete hit", None, abi::BPF_MAP_DELETE_ELEM),
    ("compare hit", Some(4), abi::BPF_MAP_DELETE_ELEM),
    ("compare hit", Some(8), abi::BPF_MAP_DELETE_ELEM),
    ("compare hit", Some(56), abi::BPF_MAP_DELETE_ELEM),
    ("compare mismatch", Some(8), abi::BPF_MAP_DELETE_ELEM),
    ("compare absent", Some(8), abi::BPF_MAP_DELETE_ELEM),
];
/// For the host, in the guest's own time, which stands still while the host steps.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks for each. What this kernel does not have is not asked.
///
/// # Errors
/// When files cannot be written, or an operation goes wrong. Why a question was not answered the host knows.
pub fn run(folder: &Path) -> Result<()> {
    let symbols = fs::read("/proc/kallsyms").context("cannot read /proc/kallsyms")?;
    fs::write(folder.join(AskFiles::SYMBOLS), symbols).context("cannot copy /proc/kallsyms")?;
    let mut number = 0;
    for (operation, window, command) in ASKED {
        let map = stage::map(MapKind::Hash, window).map_err(Not::error)?;
        let stage = Stage::on(map.as_fd()).map_err(Not::error)?;
        let mut trial = match operations::open(operation, window, &stage) {
            Ok(trial) => trial,
            Err(Not::Here(_)) => continue,
            Err(not) => return Err(not.error()),
        };
        // What is done once is done before.
        trial(0).map_err(Not::error)?;
        let files = AskFiles(number);
        number += 1;
        let ask =
            Ask { operation: operation.into(), map: "hash".into(), window, command: u64::from(command) };
        let whole = folder.join(format!("{}.new", files.ask()));
        fs::write(&whole, serde_json::to_vec(&ask)?).context("cannot ask for a profile")?;
        fs::rename(&whole, folder.join(files.ask())).context("cannot ask for a profile")?;
        let since = Instant::now();
        let answered = || folder.join(files.done()).exists() || folder.join(files.failed()).exists();
        for i in 0.. {
            trial(i % LIVE).map_err(Not::error)?;
            if i % 16 == 0 && answered() {
                break;
            }
            if since.elapsed() > PATIENCE {
                bail!("nobody stepped through `{operation}`: is there a debugger?");
            }
        }
    }
    Ok(())
}
