// SPDX-License-Identifier: MIT OR Apache-2.0
//! The evidence that is kept in the repository, as records: events are judged again, other records are taken as they are.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};
use evidence::races::{Kept, Matrix};
use ground::{cache::write_whole, context::Ctx};
use guest::machine::Limits;
use kernel::series::DEFAULT;
use results::races::RaceEvent;

use crate::{
    booted, matrix_file,
    run_report::Report,
    runs::lab::{Asked, Races},
};

/// Where it is.
pub const EVIDENCE: &str = "docs/report/evidence";

/// Events of guests with the series.
const SERIES: [(&str, &str); 2] = [("races.jsonl", "races/matrix.json"), (RT, "races/matrix-rt.json")];
/// Of a kernel with the series that preempts packets.
const RT: &str = "races-rt.jsonl";

/// Events of kernels as they are, and the cells that they are of where that is not all.
const NATIVE: [(&str, &str, Option<&str>); 5] = [
    ("here.jsonl", "races/here.json", None),
    ("stock-6.1.jsonl", "races/stock-6.1.json", None),
    ("stock-6.12.jsonl", "races/stock-6.12.json", None),
    ("stock-7.3-rt.jsonl", "races/stock-7.3-rt.json", Some("prog-pinned on hash")),
    ("stock-7.3.jsonl", "races/stock-7.3.json", None),
];

/// Records.
const RECORDS: [(&str, &str); 4] = [
    ("bench.json", "bench/bench.json"),
    ("calibrate.json", "bench/calibrate.json"),
    ("vm-test.json", "vm-test/report.json"),
    ("kselftest.json", "kselftest/kselftest.json"),
];

/// Makes records of it in a folder apart, which is told.
///
/// # Errors
/// When a file cannot be read or written, or holds no events.
pub fn records(ctx: &Ctx) -> Result<PathBuf> {
    let (from, to) = (ctx.root.join(EVIDENCE), ctx.target.join("kept"));
    for (name, place) in SERIES {
        let events = from.join(name);
        Kept::read(std::slice::from_ref(&events))?.only(name == RT)?;
        judge(ctx, &events, &to.join(place), Some(DEFAULT), None, &mut None)?;
    }
    // What is asked of all cells of a kernel as it is, the model answers once.
    let mut all = None;
    for (name, place, filter) in NATIVE {
        let said = if filter.is_some() { &mut None } else { &mut all };
        judge(ctx, &from.join(name), &to.join(place), None, filter, said)?;
    }
    for (name, place) in RECORDS {
        let record = from.join(name);
        if record.exists() {
            let text = fs::read(&record).with_context(|| format!("cannot read {}", record.display()))?;
            write_whole(&room_for(&to.join(place))?, &text)?;
        }
    }
    Ok(to)
}

/// Judges events beside what the model said, which it is asked for where that is not known yet.
fn judge(
    ctx: &Ctx,
    events: &Path,
    record: &Path,
    series: Option<&str>,
    filter: Option<&str>,
    said: &mut Option<Vec<RaceEvent>>,
) -> Result<()> {
    let kept = Kept::read(&[events.to_owned()])?;
    let mut report = Report::new(ctx, 0, "");
    booted::beside(events)?.tell(&mut report);
    let machine = if series.is_none() { Some(kept.machine()?) } else { None };
    let mut matrix = Matrix::default();
    let asked = Asked { filter: filter.map(str::to_owned), quick: false, unpatched: series.is_none() };
    // Nothing is booted.
    let limits = Limits { boot: Duration::ZERO, silence: Duration::ZERO };
    let races = Races { ctx, asked, limits };
    match said {
        Some(said) => matrix.add(said),
        None => *said = Some(races.model(&mut matrix)?),
    }
    let judged = races.kept(kept, series, &mut matrix)?;
    report.verdict = judged.outcome;
    report.reason = judged.reason;
    matrix_file::write_with(&room_for(record)?, &report, machine.as_ref(), &matrix)
}

fn room_for(file: &Path) -> Result<PathBuf> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    Ok(file.to_owned())
}
