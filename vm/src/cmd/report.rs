// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask report`: what the other commands found out, as a page, as text, as a mail, and as JSON.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use ground::{
    cache::write_whole,
    context::Ctx,
    events::Event,
    outcome::{Done, Outcome},
};
use report::Inputs;

use crate::{
    browser, cli, kept,
    report_inputs::{read, read_natively, read_stock},
    say::say,
};

/// What the report is to people: a page, a text, and what a mail has room for.
const FOR_PEOPLE: [&str; 3] = ["index.html", "report.txt", "brief.txt"];
/// The matrix, for the README.
const PICTURE: &str = "matrix.svg";

/// Writes the files; with `--check`, has a browser look at the page; with `--brief`, prints what a mail has room for.
/// A claim that the evidence does not bear out fails it.
///
/// # Errors
/// When an input cannot be read or an output cannot be written.
pub fn run(ctx: &Ctx, opts: &cli::Report) -> Result<Done> {
    let folder = ctx.target.join("report");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let nothing_was_run = !ctx.target.join("races").exists() && !ctx.target.join("bench").exists();
    let page =
        report::page(&if opts.kept || (nothing_was_run && opts.races.is_none() && opts.bench.is_none()) {
            ctx.events.note(format!("made from the evidence that is kept in {}", kept::EVIDENCE));
            inputs(&kept::records(ctx)?, opts)?
        } else {
            inputs(&ctx.target, opts)?
        });
    let [page_file, text_file, brief_file] = FOR_PEOPLE.map(|name| folder.join(name));
    let files = [page_file, text_file, brief_file, folder.join("report.json")];
    let brief = report::brief(&page);
    write_whole(&files[0], report::render(&page).as_bytes())?;
    write_whole(&files[1], report::render_text(&page).as_bytes())?;
    write_whole(&files[2], brief.as_bytes())?;
    write_whole(&files[3], &serde_json::to_vec_pretty(&page)?)?;
    for trouble in &page.troubles {
        ctx.events.note(trouble.clone());
    }
    match report::render_picture(&page) {
        Some(picture) => write_whole(&folder.join(PICTURE), picture.as_bytes())?,
        // That of an earlier run must not be taken for one of this.
        None => drop(fs::remove_file(folder.join(PICTURE))),
    }
    let mut done = Done::from(Outcome::Passed);
    if opts.check {
        done = browser::check(ctx, &files[0], &folder)?;
    }
    if opts.keep {
        keep(ctx, &folder)?;
    }
    if opts.brief {
        say!("{}", brief.trim_end_matches('\n'))?;
    }
    let reason = match page.troubles.len() {
        0 => page.answer.sentence.clone(),
        _ => format!("the report is written; {}", page.troubles.join("; ")),
    };
    if !page.troubles.is_empty() && done.outcome == Outcome::Passed {
        done.outcome = Outcome::Failed;
    }
    ctx.events.emit(&Event::Verdict { outcome: done.outcome, reason, files: files.to_vec() });
    Ok(done)
}

/// Copies the report to where the README links to it.
fn keep(ctx: &Ctx, folder: &Path) -> Result<()> {
    let kept = ctx.root.join("docs/report");
    fs::create_dir_all(&kept).with_context(|| format!("cannot make {}", kept.display()))?;
    let picture = folder.join(PICTURE).exists().then_some(PICTURE);
    // The JSON is for scripts: it is made again in seconds from the evidence that is kept.
    for name in FOR_PEOPLE.into_iter().chain(picture) {
        let file = folder.join(name);
        fs::copy(&file, kept.join(name)).with_context(|| format!("cannot keep {}", file.display()))?;
    }
    Ok(())
}

fn inputs(records: &Path, opts: &cli::Report) -> Result<Inputs> {
    let at = |given: &Option<PathBuf>, place: &str| given.clone().unwrap_or_else(|| records.join(place));
    // A file that was asked for by name has to be there.
    for given in [&opts.races, &opts.bench].into_iter().flatten() {
        fs::metadata(given).with_context(|| format!("cannot read {}", given.display()))?;
    }
    let races = at(&opts.races, "races/matrix.json");
    // What ran natively lies beside the matrix.
    let beside = races.parent().map(Path::to_owned).unwrap_or_default();
    Ok(Inputs {
        here: read_natively(&beside.join("here.json"), "cargo xtask races --here")?,
        stock: read_stock(&beside)?,
        rt: read(&beside.join("matrix-rt.json"), "cargo xtask races --profile rt")?,
        races: read(&races, "cargo xtask races")?,
        bench: read(&at(&opts.bench, "bench/bench.json"), "cargo xtask bench")?,
        calibrate: read(&records.join("bench/calibrate.json"), "cargo xtask calibrate")?,
        vm_test: read(&records.join("vm-test/report.json"), "cargo xtask vm-test")?,
        kselftest: read(&records.join("kselftest/kselftest.json"), "cargo xtask kselftest")?,
    })
}
