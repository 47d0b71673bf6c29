// SPDX-License-Identifier: MIT OR Apache-2.0
//! The tests that a series brings along, on the kernel with it, on an emulated machine of another architecture: where
//! bytes have another order, and the JIT is another. What emulation does not show is a weaker order of memory: QEMU on
//! x86 runs loads and stores in the order of x86.

mod debs;
mod emulated;
mod kernel;
mod progs;
mod target;

pub use target::Arch;

use anyhow::{Context, Result, bail, ensure};
use results::{Accel, KernelReport, Status, TestResult};

use ground::{context::Ctx, exec, tools};

use guest::{folder, splat};

use super::{Difference, Results, Row, Step, ours, rows};
use crate::{
    cli,
    run_report::{Place, Report, Test},
    series::{NONE, Series},
    workshop::{Workshop, host_cpus},
};

/// A test that every kernel has. If it fails, the guest is to blame, or the kernel without the series.
const CONTROL: &str = "htab_update";

/// The name of the folder under `target/` and of the guest.
pub fn name(arch: Arch) -> String {
    format!("kselftest-{}", arch.target().name)
}

/// Builds, boots, fills the report and the rows; gives why the series is to blame, sentence by sentence.
///
/// # Errors
/// What stood in the way: tools, the network, a build, a guest that did not come to its tests.
pub fn run(
    ctx: &Ctx,
    opts: &cli::Kselftest,
    arch: Arch,
    report: &mut Report,
    found: &mut Vec<Row>,
) -> Result<Vec<String>> {
    ensure!(opts.series != NONE, "only the tests of a series are run on another architecture: name a series");
    let (target, offline) = (arch.target(), opts.kernel.offline);
    report.profile = target.name.into();
    let series = Series::read(&ctx.root, &opts.series)?;
    let shop = Workshop::open(ctx, &opts.kernel)?;
    let mut wanted = ours(series.patches_for(&shop.base.line)?);
    ensure!(
        !wanted.is_empty(),
        "the series {} has no tests of its own to run on {}",
        series.name,
        target.name
    );
    wanted.push(CONTROL.into());
    let asked: Vec<String> = match &opts.filter {
        Some(filter) => wanted.iter().filter(|test| test.contains(filter.as_str())).cloned().collect(),
        None => wanted.clone(),
    };
    ensure!(!asked.is_empty(), "no selftest to run: is --filter right? there are: {}", wanted.join(", "));
    ctx.phase("tools of the selftests", || tools::ensure(ctx, &target.tools, offline))?;
    let root = ctx.phase(&format!("packages {}", target.name), || debs::get(ctx, target, offline))?;
    let patched = shop.apply(&series)?;
    let jobs = opts.kernel.jobs.unwrap_or_else(host_cpus);
    let kernel = ctx.phase(&format!("kernel {} {}", series.name, target.name), || {
        let wanted = kernel::Wanted {
            target,
            base: &shop.base,
            patched: &patched,
            series: &series.name,
            lineage: &series.lineage,
            jobs,
        };
        kernel::get(ctx, &shop.store, &wanted)
    })?;
    report.kernel = Some(KernelReport {
        version: kernel.manifest.release.clone(),
        base: shop.base.name.clone(),
        series: series.name.clone(),
        patches: patched.patches.clone(),
        config_sha256: kernel.manifest.config_sha256.clone(),
        compiler: kernel.manifest.compiler.clone(),
    });
    let built = ctx.phase(&format!("selftests {}", target.name), || {
        let wanted =
            progs::Wanted { target, root: &root, patched: &patched, kernel: &kernel, tests: &wanted, jobs };
        progs::get(ctx, &shop.store, &wanted)
    })?;
    let steps: Vec<Step> = asked.iter().map(|test| Step::named(test)).collect();
    let name = name(arch);
    let folder = folder::fresh_run_folder(&ctx.out, &name)?;
    let initrd = emulated::initrd(ctx, target, &root, &built, &folder, &steps)?;
    report.accel = Some(Accel::Tcg);
    let machine = emulated::Machine { target, cpus: report.vcpus, memory: &opts.machine.memory };
    let console = ctx.phase(&format!("boot {name}"), || {
        Ok((emulated::boot(ctx, &machine, &kernel.image(), &initrd, &name, &steps)?, false))
    })?;
    report.consoles.push(console.path.clone());
    let told = emulated::read(&console.text);
    let uname = came_up(&told, &console)?;
    ctx.events.note(uname);
    ensure!(
        uname.split(' ').any(|word| word == target.machine),
        "the guest is not of the architecture {}: it says {uname}",
        target.machine
    );
    for (result, said) in &told.ended {
        let file = folder.join(format!("{}.txt", result.name.replace(':', "-")));
        std::fs::write(&file, said).with_context(|| format!("cannot keep {}", file.display()))?;
    }
    report.splats = splat::scan(&console.text)
        .map_err(anyhow::Error::msg)?
        .into_iter()
        .map(|splat| format!("{}: {splat}", series.name))
        .collect();
    *found = judge(&steps, &told, console.late);
    for row in found.iter() {
        let status = row.series.unwrap_or(Status::Error);
        let result = TestResult { name: row.test.clone(), status, ms: 0, detail: row.detail.clone() };
        report.tests.push(Test { kernel: Place::Series, result });
    }
    let mut faults = faults(found, &asked);
    faults.extend(report.splats.iter().cloned());
    Ok(faults)
}

/// What the guest says it is.
///
/// # Errors
/// It did not come to its tests: that says nothing of the series.
fn came_up<'a>(told: &'a emulated::Told, console: &emulated::Console) -> Result<&'a str> {
    if let Some(uname) = &told.uname {
        return Ok(uname);
    }
    let tail = exec::last_lines(&console.text).join("\n    | ");
    let why = match console.late {
        Some(limit) => format!("the guest did not come to its tests within {limit} s"),
        None => "the guest ended before its first test".into(),
    };
    bail!("{why}; the console ends:\n    | {tail}")
}

/// A row for each test and each part of it.
fn judge(steps: &[Step], told: &emulated::Told, late: Option<u64>) -> Vec<Row> {
    let mut results = Results::new();
    for step in steps {
        let of = |name: &str| name == step.name;
        if let Some((ended, said)) = told.ended.iter().find(|(ended, _)| of(&ended.name)) {
            results.extend(rows(step, ended, said));
            continue;
        }
        let running = told.running.as_ref().filter(|(name, _)| of(name));
        let detail = match (running, late) {
            (Some(_), Some(limit)) => format!("the guest was stopped in it after {limit} s"),
            (Some(_), None) => "the guest ended in it".to_owned(),
            (None, _) => "the guest ended before it".to_owned(),
        };
        let ended = TestResult { name: step.name.clone(), status: Status::Error, ms: 0, detail };
        results.extend(rows(step, &ended, running.map_or("", |(_, said)| said)));
    }
    let control = format!("test_progs:{CONTROL}");
    let row = |(test, (status, detail)): (String, (Status, String))| {
        let fine = matches!(status, Status::Pass | Status::Skip);
        let difference = match fine {
            _ if test.starts_with(&control) => Difference::None,
            true => Difference::Ours,
            false => Difference::OursBroken,
        };
        Row { test, base: None, series: Some(status), detail, difference }
    };
    results.into_iter().map(row).collect()
}

/// Why the series is to blame, sentence by sentence.
fn faults(found: &[Row], asked: &[String]) -> Vec<String> {
    let bad = |row: &&Row| !matches!(row.series, Some(Status::Pass | Status::Skip));
    let mut faults: Vec<String> = found
        .iter()
        .filter(bad)
        .map(|row| match row.series {
            Some(Status::Fail) if row.difference.is_fault() => {
                format!("{}: {}", row.test, row.difference.words())
            }
            Some(Status::Fail) => format!("{}: FAILED, and is not of the series", row.test),
            _ => format!("{} did not run: {}", row.test, row.detail),
        })
        .collect();
    for test in asked {
        let name = format!("test_progs:{test}");
        let mine = |row: &Row| row.test == name || row.test.starts_with(&format!("{name}/"));
        if found.iter().filter(|row| mine(row)).all(|row| row.series == Some(Status::Skip)) {
            faults.push(format!("{test} skipped all that it has"));
        }
    }
    faults
}

#[cfg(test)]
mod judging {
    use super::*;

    fn told(console: &str) -> Vec<Row> {
        let steps = [Step::named("mine"), Step::named(CONTROL)];
        judge(&steps, &emulated::read(console), None)
    }

    #[test]
    fn a_test_that_fails_and_one_that_never_ran_are_faults() {
        let asked = ["mine".to_owned(), CONTROL.to_owned()];
        let control =
            "@@ begin test_progs:htab_update\n| #1 htab_update:OK\n@@ end test_progs:htab_update 0 1.0 2.0\n";
        let fine =
            "@@ begin test_progs:mine\n| #1/1 mine/x:OK\n| #1 mine:OK\n@@ end test_progs:mine 0 1.0 2.0\n";
        assert_eq!(faults(&told(&format!("{fine}{control}")), &asked), [""; 0]);
        let broken =
            fine.replace("x:OK", "x:FAIL").replace("mine:OK", "mine:FAIL").replace("mine 0", "mine 1");
        assert!(
            faults(&told(&format!("{broken}{control}")), &asked)[0]
                .contains("test_progs:mine: OF THE SERIES")
        );
        let skipped = fine.replace("x:OK", "x:SKIP").replace("mine:OK", "mine:SKIP");
        assert_eq!(faults(&told(&format!("{skipped}{control}")), &asked), ["mine skipped all that it has"]);
        let faults = faults(&told(fine), &asked);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].starts_with("test_progs:htab_update did not run: the guest ended"), "{faults:?}");
    }
}
