// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask vm-test`: from a fresh machine to a verdict.

use std::{fs, time::Duration};

use anyhow::Result;
use evidence::races::Matrix;
use ground::{
    context::Ctx,
    events::Event,
    lock,
    outcome::{Done, Outcome},
};
use guest::{
    folder, leaks,
    machine::{Image, Limits},
    verdict::{Judged, broken_words, is_broken},
};
use kernel::{
    profile::LEAN,
    series::{NONE, Series},
    stock::{self, Stock},
};

use crate::{
    built::Built,
    cli::VmTest,
    matrix_file, record,
    run_report::{BASE_PREFIX, Place, Report, Test},
    runs::lab::{Asked, Races},
    steps::{self, Bench, Drawn, selftests_command},
    workshop::Workshop,
};

/// Runs it, writes the report whatever happens, and prints the verdict.
///
/// # Errors
/// Only when not even the report can be written.
pub fn run(ctx: &Ctx, opts: &VmTest) -> Result<Done> {
    let _lock = lock::take_folder(ctx, &ctx.out)?;
    ctx.events.keep_in(&ctx.out.join("events.jsonl"))?;
    let mut report = Report::new(ctx, opts.machine.vcpus(), &opts.kernel.profile);
    // What an earlier run left must not be taken for this one's.
    let _ = fs::remove_file(Report::path(ctx));
    let mut matrix = Matrix::default();
    match test(ctx, opts, &mut report, &mut matrix) {
        Ok(reason) => {
            report.verdict = Outcome::from_ok(reason.is_empty());
            report.reason = if reason.is_empty() { "every promise was kept".into() } else { reason };
        }
        Err(e) => report.reason = format!("{e:#}"),
    }
    report.write(ctx)?;
    let cells = ctx.out.join("matrix.json");
    let _ = fs::remove_file(&cells);
    if !matrix.rows.is_empty() {
        matrix_file::write(&cells, &report, &matrix)?;
    }
    record::end(ctx, &Report::path(ctx), &report, report.count(), opts.json)
}

/// Fills the report; gives why the run failed, or nothing.
fn test(ctx: &Ctx, opts: &VmTest, report: &mut Report, matrix: &mut Matrix) -> Result<String> {
    // A wrong name is told before anything is fetched.
    let series = Series::read(&ctx.root, &opts.series)?;
    let shop = Workshop::open_for_guests(ctx, &opts.kernel)?;
    let vng = steps::vng(ctx, &opts.kernel)?;
    let built = shop.build(&series)?;
    report.kernel = Some(shop.report_of(&built));
    if opts.series != NONE {
        let result = shop.bindings(&built)?;
        report.tests.push(Test { kernel: Place::Host, result });
    }
    let bench = Bench::open(ctx, &shop.program_headers(&built)?, vng, &opts.machine, &built)?;
    report.accel = Some(bench.machine.accel);
    let place = if opts.series == NONE { Place::Base } else { Place::Series };
    let guests = Guests { shop: &shop, bench: &bench, opts };
    let mut reasons = vec![guests.tests(&built.image(), &built.series, place, report)?];
    // A filter is for tests by name; for cells, `races` has one of its own.
    if place == Place::Series && opts.filter.is_none() && !opts.no_races {
        if shop.profile.is_slow() {
            ctx.events
                .note("the matrix of races is left out on so slow a kernel: `races --profile` fills it");
        } else {
            reasons.push(guests.races(&built, report, matrix)?);
        }
    }
    // The kernel that matters first.
    if opts.with_base && opts.series != NONE {
        reasons.push(guests.base(report)?);
    }
    let host: Vec<&str> = report
        .tests
        .iter()
        .filter(|test| test.kernel == Place::Host && is_broken(test.result.status))
        .map(|test| test.result.name.as_str())
        .collect();
    if !host.is_empty() {
        reasons.push(broken_words(&host));
    }
    reasons.retain(|reason| !reason.is_empty());
    Ok(reasons.join("; "))
}

/// What guests are run on and how.
struct Guests<'a> {
    shop: &'a Workshop<'a>,
    bench: &'a Bench<'a>,
    opts: &'a VmTest,
}

impl Guests<'_> {
    fn limits(&self) -> Limits {
        Limits {
            boot: Duration::from_secs(self.opts.boot_timeout),
            silence: Duration::from_secs(self.opts.test_timeout),
        }
        .times(self.shop.profile.patience)
    }

    /// Runs the quick form of the races; gives why they failed, or nothing.
    fn races(&self, built: &Built, report: &mut Report, matrix: &mut Matrix) -> Result<String> {
        let ctx = self.bench.ctx();
        let races = Races { ctx, asked: Asked { quick: true, ..Asked::default() }, limits: self.limits() };
        let Judged { tests, splats, reason, .. } =
            races.run(&|series| self.shop.build_and_tell(series), self.bench, built, report, matrix)?;
        for result in tests {
            ctx.events.emit(&Event::TestFinished(result.clone()));
            report.tests.push(Test { kernel: Place::Series, result });
        }
        report.splats.extend(splats.into_iter().map(|splat| format!("{}: {splat}", built.series)));
        Ok(reason)
    }

    /// Tests the kernel without the series: Debian's own, where it is of the same version, or one that is built from the objects
    /// of the first.
    fn base(&self, report: &mut Report) -> Result<String> {
        if let Some(stock) = self.stock()? {
            report.base_kernel = Some(stock.report()?);
            return self.tests(&steps::stock_image(&stock), NONE, Place::Base, report);
        }
        let base = self.shop.build(&Series::read(&self.shop.ctx.root, NONE)?)?;
        report.base_kernel = Some(self.shop.report_of(&base));
        self.tests(&base.image(), &base.series, Place::Base, report)
    }

    /// Debian's binary kernel of the version whose source is the base, if there is one and the profile asks for nothing that it
    /// has not.
    fn stock(&self) -> Result<Option<Stock>> {
        let (ctx, shop, opts) = (self.shop.ctx, self.shop, &self.opts.kernel);
        let packaged = opts.kernel_src.is_none() && shop.profile.name == LEAN;
        if !packaged || !stock::lines().contains(&opts.base.as_str()) {
            return Ok(None);
        }
        let got = ctx.phase(&format!("Debian's kernel {}", opts.base), || {
            stock::get(ctx, &opts.base, opts.refresh, opts.offline)
        });
        match got {
            Ok(stock) if shop.base.name.rsplit(' ').next() == Some(&stock.version) => Ok(Some(stock)),
            Ok(stock) => {
                ctx.events.note(format!(
                    "{} is not of the version of the base, {}: that is built",
                    stock.name(),
                    shop.base.name
                ));
                Ok(None)
            }
            Err(e) if opts.offline => {
                ctx.events.note(format!("{e:#}; so the base is built"));
                Ok(None)
            }
            Err(e) => Err(e),
        }
    }

    /// Tests one kernel in a guest; gives why it failed, or nothing.
    fn tests(&self, image: &Image, name: &str, place: Place, report: &mut Report) -> Result<String> {
        let Self { shop, bench, opts } = self;
        report.consoles.push(bench.console(name));
        let drawn = Drawn { filter: opts.filter.as_deref(), calls: opts.calls, seed: opts.seed };
        let mut command = selftests_command(place, self.limits(), drawn);
        if shop.profile.is_slow() {
            command.push_str(" --quick");
        }
        if shop.profile.finds_leaks {
            command = leaks::after(&command);
        }
        let Judged { mut tests, splats, mut reason, .. } =
            bench.run(image, name, place, &command, drawn.limits(self.limits()))?;
        if shop.profile.finds_leaks {
            let mut result = leaks::judge(&folder::run_folder(&bench.ctx().out, name))?;
            if place == Place::Base {
                result.name.insert_str(0, BASE_PREFIX);
            }
            if reason.is_empty() && is_broken(result.status) {
                reason = broken_words(&[&result.name]);
            }
            bench.ctx().events.emit(&Event::TestFinished(result.clone()));
            tests.push(result);
        }
        report.tests.extend(tests.into_iter().map(|result| Test { kernel: place, result }));
        report.splats.extend(splats.into_iter().map(|splat| format!("{name}: {splat}")));
        Ok(reason)
    }
}
