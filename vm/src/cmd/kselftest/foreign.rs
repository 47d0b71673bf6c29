// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask kselftest --arch`: the tests of the series alone, on an emulated machine of another architecture.

use anyhow::{Context, Result, bail, ensure};
use ground::{context::Ctx, exec, tools};
use guest::{folder, splat};
use kernel::{
    kselftest::{
        compare::Row,
        foreign::{
            self, debs, emulated,
            judge::{self, CONTROL},
            progs,
            target::Target,
            told,
        },
        plan::{Step, ours},
    },
    series::{NONE, Series},
};
use results::{Accel, KernelReport, Status, TestResult};

use crate::{
    cli,
    cpus::host_cpus,
    run_report::{Place, Report, Test},
    workshop::Workshop,
};

/// The name of the folder under `target/` and of the guest.
pub fn name(target: &Target) -> String {
    format!("kselftest-{}", target.name)
}

/// Builds, boots, fills the report and the rows; gives why the series is to blame, sentence by sentence.
///
/// # Errors
/// What stood in the way: tools, the network, a build, a guest that did not come to its tests.
pub fn run(
    ctx: &Ctx,
    opts: &cli::Kselftest,
    target: &Target,
    report: &mut Report,
    found: &mut Vec<Row>,
) -> Result<Vec<String>> {
    ensure!(opts.series != NONE, "only the tests of a series are run on another architecture: name a series");
    let offline = opts.kernel.offline;
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
        let wanted = foreign::kernel::Wanted {
            target,
            base: &shop.base,
            patched: &patched,
            series: &series.name,
            lineage: &series.lineage,
            jobs,
        };
        foreign::kernel::get(ctx, &shop.store, &wanted)
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
    let name = name(target);
    let folder = folder::fresh_run_folder(&ctx.out, &name)?;
    let initrd = emulated::initrd(ctx, target, &root, &built, &folder, &steps)?;
    report.accel = Some(Accel::Tcg);
    let machine = emulated::Machine { target, cpus: report.vcpus, memory: &opts.machine.memory };
    let console = ctx.phase(&format!("boot {name}"), || {
        Ok((emulated::boot(ctx, &machine, &kernel.image(), &initrd, &name, &steps)?, false))
    })?;
    report.consoles.push(console.path.clone());
    let told = told::read(&console.text);
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
    *found = judge::judge(&steps, &told, console.late);
    for row in found.iter() {
        let status = row.series.unwrap_or(Status::Error);
        let result = TestResult { name: row.test.clone(), status, ms: 0, detail: row.detail.clone() };
        report.tests.push(Test { kernel: Place::Series, result });
    }
    let mut faults = judge::faults(found, &asked);
    faults.extend(report.splats.iter().cloned());
    Ok(faults)
}

/// What the guest says it is.
///
/// # Errors
/// It did not come to its tests: that says nothing of the series.
fn came_up<'a>(told: &'a told::Told, console: &emulated::Console) -> Result<&'a str> {
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
