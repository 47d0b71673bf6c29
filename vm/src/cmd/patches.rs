// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask patches`: what a maintainer would look at before reading a series.

use anyhow::Result;
use ground::{
    context::Ctx,
    events::Event,
    lock,
    outcome::{Count, Done},
    tools,
};
use kernel::{
    apply::{self, DoesNotApply},
    base::{self, Base},
    hygiene::{
        checkpatch::Checkpatch,
        mails::{cover_faults, numbering_faults, sign_off_fault, subject_fault},
        warnings,
    },
    patched::Patched,
    series::{self, Patch, Series, file_name, patch_files},
    sparse,
};
use results::{Status, TestResult};

use crate::{cli::Patches, mutant, workshop::Workshop};

/// The two copies of the UAPI header in a kernel tree.
const UAPI: [&str; 2] = ["include/uapi/linux/bpf.h", "tools/include/uapi/linux/bpf.h"];
/// The series of the lab's kernel, which mutants change.
const LAB: &str = series::DEFAULT;

/// Results so far, told of as they come.
struct Checks<'a> {
    ctx: &'a Ctx,
    count: Count,
}

impl Checks<'_> {
    /// Empty `faults` are a pass.
    fn add(&mut self, name: String, faults: &[String]) {
        let status = if faults.is_empty() { Status::Pass } else { Status::Fail };
        self.tell(TestResult { name, status, ms: 0, detail: faults.join("; ") });
    }

    fn skip(&mut self, name: String, reason: &str) {
        self.tell(TestResult { name, status: Status::Skip, ms: 0, detail: reason.into() });
    }

    fn tell(&mut self, result: TestResult) {
        self.count.add(result.status);
        self.ctx.events.emit(&Event::TestFinished(result));
    }
}

/// Checks every series, or one.
///
/// # Errors
/// Those of the steps; what a patch does wrong is a failed check.
pub fn run(ctx: &Ctx, opts: &Patches) -> Result<Done> {
    let _lock = lock::take_folder(ctx, &ctx.out)?;
    let names = opts.series.clone().map_or_else(|| series::all(&ctx.root), |name| vec![name]);
    let mut all = names.iter().map(|name| Series::read(&ctx.root, name)).collect::<Result<Vec<_>>>()?;
    let shop = Workshop::open(ctx, &opts.kernel)?;
    if opts.sparse {
        ctx.phase("tools of sparse", || tools::ensure(ctx, &sparse::TOOLS, opts.kernel.offline))?;
    }
    let checkpatch = Checkpatch::fetch(ctx, &shop.store, &shop.base)?;
    let mut checks = Checks { ctx, count: Count::default() };
    for series in &all {
        check(&mut checks, &shop, &checkpatch, series, opts)?;
    }
    if opts.series.is_none() {
        let together = Series::read(&ctx.root, LAB)?;
        let fault = outcome(shop.apply(&together))?.err();
        checks.add(format!("patches::{LAB}::applies"), fault.as_slice());
        all.push(together);
    }
    if opts.kernel.kernel_src.is_none() {
        check_other_bases(&mut checks, &shop, &all)?;
    }
    if opts.series.is_none() {
        check_mutants(&mut checks, &shop)?;
    }
    Ok(Done::counted(checks.count))
}

fn check(
    checks: &mut Checks<'_>,
    shop: &Workshop<'_>,
    checkpatch: &Checkpatch,
    series: &Series,
    opts: &Patches,
) -> Result<()> {
    let name = |check: &str| format!("patches::{}::{check}", series.name);
    let patches = series.patches_for(&shop.base.line)?;
    let patched = outcome(shop.apply(series))?;
    checks.add(name("applies"), patched.as_ref().err().map(std::slice::from_ref).unwrap_or_default());
    let each = |fault: fn(&Patch) -> Option<String>| -> Vec<String> {
        let told = |p: &Patch| fault(p).map(|fault| format!("{}: {fault}", file_name(&p.path)));
        patches.iter().filter_map(told).collect()
    };
    checks.add(name("subjects"), &each(subject_fault));
    checks.add(name("signed_off_by_author"), &each(sign_off_fault));
    checks.add(name("numbering"), &numbering_faults(series));
    let base = shop.base.pinned.then_some(shop.base.commit.as_str());
    checks.add(name("cover_letter"), &cover_faults(&checks.ctx.root, &series.name, base)?);
    checks.add(name("checkpatch"), &checkpatch.faults(checks.ctx, patches)?);
    let Ok(patched) = patched else { return Ok(()) };
    match uapi_in_step(checks.ctx, shop, &patched)? {
        Some(faults) => checks.add(name("uapi_copies_in_step"), &faults),
        None => checks.skip(name("uapi_copies_in_step"), "they differ in the base already"),
    }
    if opts.sparse {
        let compile =
            |series: &Series, objects: &[String], more: &[&str]| shop.compile(series, objects, more);
        let messages = warnings::new_with(checks.ctx, &compile, series, opts.kernel.offline)?;
        checks.add(name("no_new_warnings"), &messages.new);
        if !messages.sparse {
            checks
                .skip(name("no_new_sparse_messages"), "kbuild finds the sparse here too old for this kernel");
        }
    }
    if opts.build {
        for n in 1..=patches.len() {
            let built = shop.build(&series.up_to(n));
            checks.ctx.still_wanted()?;
            let faults: Vec<String> = built.err().map(|e| format!("{e:#}")).into_iter().collect();
            checks.add(name(&format!("builds_with_{n}_of_{}", patches.len())), &faults);
        }
    }
    Ok(())
}

/// Each series has to apply to the other lines of kernels too, or have a variant that does: told before a build is spent
/// on it. A source that cannot be had now is a skip.
fn check_other_bases(checks: &mut Checks<'_>, shop: &Workshop<'_>, all: &[Series]) -> Result<()> {
    for line in base::lines().into_iter().filter(|line| *line != shop.base.line) {
        let name = |series: &Series| format!("patches::{}::applies_to_{line}", series.name);
        let base: Base = match shop.other_base(line) {
            Ok(base) => base,
            Err(e) => {
                checks.ctx.still_wanted()?;
                let reason = format!("{e:#}").lines().next().unwrap_or_default().to_owned();
                all.iter().for_each(|series| checks.skip(name(series), &reason));
                continue;
            }
        };
        for series in all {
            if let Some(reason) = series.not_carried.get(line) {
                checks.skip(name(series), reason);
                continue;
            }
            let patched = apply::apply(checks.ctx, &shop.store, &base, series).map(|(patched, _)| patched);
            let fault = outcome(patched)?.err();
            checks.add(name(series), fault.as_slice());
        }
    }
    Ok(())
}

/// The patched base, or what git says against it.
fn outcome(applied: Result<Patched>) -> Result<Result<Patched, String>> {
    match applied {
        Ok(patched) => Ok(Ok(patched)),
        Err(e) if e.is::<DoesNotApply>() => Ok(Err(e.to_string())),
        Err(e) => Err(e),
    }
}

/// Mutants apply to the series that they change, and name who catches them. They are never sent, so style is no matter.
fn check_mutants(checks: &mut Checks<'_>, shop: &Workshop<'_>) -> Result<()> {
    let dir = checks.ctx.root.join("kernel-patches").join(series::MUTANTS);
    if !dir.is_dir() {
        return Ok(());
    }
    let series = Series::read(&checks.ctx.root, LAB)?;
    for path in patch_files(&dir)? {
        let patch = Patch::read(&path)?;
        let name = file_name(&path.with_extension(""));
        let mut faults: Vec<String> = mutant::caught_by(&patch.text)
            .is_none()
            .then(|| "it does not say which test has to fail (Caught-by:)".into())
            .into_iter()
            .collect();
        faults.extend(outcome(shop.apply(&series.with(&name, &patch)))?.err());
        checks.add(format!("patches::mutants::{name}"), &faults);
    }
    Ok(())
}

/// Faults if copies that were the same differ after the series; `None` if they never were.
fn uapi_in_step(ctx: &Ctx, shop: &Workshop<'_>, patched: &Patched) -> Result<Option<Vec<String>>> {
    let blobs = |commit: &str| -> Result<Vec<String>> {
        UAPI.iter().map(|file| shop.store.resolve(ctx, &format!("{commit}:{file}"))).collect()
    };
    let same = |ids: &[String]| ids.windows(2).all(|pair| pair[0] == pair[1]);
    if !same(&blobs(&shop.base.commit)?) {
        return Ok(None);
    }
    let fault = || format!("{} and {} differ after the series", UAPI[0], UAPI[1]);
    Ok(Some(if same(&blobs(&patched.commit)?) { Vec::new() } else { vec![fault()] }))
}
