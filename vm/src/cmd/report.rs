// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask report`: what the other commands found out, as a page, as text and as JSON.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::{
    cache::write_whole,
    cli,
    context::Ctx,
    events::Event,
    outcome::Outcome,
    report::Done,
    report_page::{self, Inputs, browser},
};

/// Writes the three files; with `--check`, has a browser look at the page.
///
/// # Errors
/// When an input cannot be read or an output cannot be written.
pub fn run(ctx: &Ctx, opts: &cli::Report) -> Result<Done> {
    let folder = ctx.target.join("report");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let page = report_page::page(&inputs(ctx, opts)?);
    let files = ["index.html", "report.txt", "report.json"].map(|name| folder.join(name));
    write_whole(&files[0], report_page::render(&page).as_bytes())?;
    write_whole(&files[1], report_page::render_text(&page).as_bytes())?;
    write_whole(&files[2], &serde_json::to_vec_pretty(&page)?)?;
    for trouble in &page.troubles {
        ctx.events.note(trouble.clone());
    }
    // A picture of an earlier run must not be taken for one of this.
    let _ = fs::remove_file(folder.join(browser::PICTURE));
    let mut done = Done::from(Outcome::Passed);
    if opts.check {
        done = browser::check(ctx, &files[0], &folder)?;
    }
    if opts.keep {
        keep(ctx, &files, &folder)?;
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

/// Copies the report to where the README links to it. The picture is there only if a browser was.
fn keep(ctx: &Ctx, files: &[PathBuf], folder: &Path) -> Result<()> {
    let kept = ctx.root.join("docs/report");
    fs::create_dir_all(&kept).with_context(|| format!("cannot make {}", kept.display()))?;
    let picture = folder.join(browser::PICTURE);
    for file in files.iter().chain(picture.exists().then_some(&picture)) {
        let name = file.file_name().unwrap_or_default();
        fs::copy(file, kept.join(name)).with_context(|| format!("cannot keep {}", file.display()))?;
    }
    Ok(())
}

fn inputs(ctx: &Ctx, opts: &cli::Report) -> Result<Inputs> {
    let at = |given: &Option<PathBuf>, place: &str| given.clone().unwrap_or_else(|| ctx.target.join(place));
    // A file that was asked for by name has to be there.
    for given in [&opts.races, &opts.bench].into_iter().flatten() {
        fs::metadata(given).with_context(|| format!("cannot read {}", given.display()))?;
    }
    let target = |place: &str| -> PathBuf { Path::new(&ctx.target).join(place) };
    Ok(Inputs {
        races: report_page::read(&at(&opts.races, "races/matrix.json"), "cargo xtask races")?,
        bench: report_page::read(&at(&opts.bench, "bench/bench.json"), "cargo xtask bench")?,
        calibrate: report_page::read(&target("bench/calibrate.json"), "cargo xtask calibrate")?,
        vm_test: report_page::read(&target("vm-test/report.json"), "cargo xtask vm-test")?,
        kselftest: report_page::read(&target("kselftest/kselftest.json"), "cargo xtask kselftest")?,
    })
}
