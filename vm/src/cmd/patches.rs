// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask patches`: what a maintainer would look at before reading a series.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use results::{Status, TestResult};
use xshell::{Shell, cmd};

use crate::{
    apply::{DoesNotApply, Patched},
    cache::Temp,
    cli::Patches,
    cmd::mutants,
    context::Ctx,
    events::Event,
    exec::{self, CommandFailed},
    lock,
    report::{Count, Done},
    series::{self, Patch, Series, file_name, header, patch_files},
    steps::Workshop,
};

/// The two copies of the UAPI header in a kernel tree.
const UAPI: [&str; 2] = ["include/uapi/linux/bpf.h", "tools/include/uapi/linux/bpf.h"];
/// What checkpatch.pl reads from the tree.
const CHECKPATCH_FILES: [&str; 3] =
    ["scripts/checkpatch.pl", "scripts/spelling.txt", "scripts/const_structs.checkpatch"];
/// Types of checkpatch complaints that do not apply, and why.
const IGNORED: [(&str, &str); 1] =
    [("FILE_PATH_CHANGES", "MAINTAINERS has patterns for all of kernel/bpf and tools/testing/selftests/bpf")];
/// The series that mutants change.
const MUTATED: &str = "rfc";
const SUBJECT_MAX: usize = 75;

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
    let _lock = lock::take_output(ctx)?;
    let names = opts.series.clone().map_or_else(|| series::all(&ctx.root), |name| vec![name]);
    let all = names.iter().map(|name| Series::read(&ctx.root, name)).collect::<Result<Vec<_>>>()?;
    let shop = Workshop::open(ctx, &opts.kernel)?;
    let checkpatch = Checkpatch::fetch(&shop)?;
    let mut checks = Checks { ctx, count: Count::default() };
    for series in &all {
        check(&mut checks, &shop, &checkpatch, series, opts.build)?;
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
    build: bool,
) -> Result<()> {
    let name = |check: &str| format!("patches::{}::{check}", series.name);
    let patched = applied(shop, series)?;
    checks.add(name("applies"), patched.as_ref().err().map(std::slice::from_ref).unwrap_or_default());
    let each = |fault: fn(&Patch) -> Option<String>| -> Vec<String> {
        let told = |p: &Patch| fault(p).map(|fault| format!("{}: {fault}", file_name(&p.path)));
        series.patches.iter().filter_map(told).collect()
    };
    checks.add(name("subjects"), &each(subject_fault));
    checks.add(name("signed_off_by_author"), &each(sign_off_fault));
    checks.add(name("numbering"), &numbering_faults(series));
    let base = shop.base.pinned.then_some(shop.base.commit.as_str());
    checks.add(name("cover_letter"), &cover_faults(&checks.ctx.root, &series.name, base)?);
    checks.add(name("checkpatch"), &checkpatch.faults(checks.ctx, series)?);
    let Ok(patched) = patched else { return Ok(()) };
    match uapi_in_step(checks.ctx, shop, &patched)? {
        Some(faults) => checks.add(name("uapi_copies_in_step"), &faults),
        None => checks.skip(name("uapi_copies_in_step"), "they differ in the base already"),
    }
    if build {
        for n in 1..=series.patches.len() {
            let built = shop.build(&series.up_to(n));
            checks.ctx.still_wanted()?;
            let faults: Vec<String> = built.err().map(|e| format!("{e:#}")).into_iter().collect();
            checks.add(name(&format!("builds_with_{n}_of_{}", series.patches.len())), &faults);
        }
    }
    Ok(())
}

/// The patched base, or what git says against it.
fn applied(shop: &Workshop<'_>, series: &Series) -> Result<Result<Patched, String>> {
    match shop.apply(series) {
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
    let series = Series::read(&checks.ctx.root, MUTATED)?;
    for path in patch_files(&dir)? {
        let patch = Patch::read(&path)?;
        let name = file_name(&path.with_extension(""));
        let mut faults: Vec<String> = mutants::caught_by(&patch.text)
            .is_none()
            .then(|| "it does not say which test has to fail (Caught-by:)".into())
            .into_iter()
            .collect();
        faults.extend(applied(shop, &series.with(&name, &patch))?.err());
        checks.add(format!("patches::mutants::{name}"), &faults);
    }
    Ok(())
}

/// checkpatch.pl of the base, with what it reads.
struct Checkpatch {
    dir: Temp,
}

impl Checkpatch {
    fn fetch(shop: &Workshop<'_>) -> Result<Self> {
        let ctx = shop.ctx;
        let dir = ctx.cache.temp("series")?;
        for file in CHECKPATCH_FILES {
            let text = shop.store.file(ctx, &shop.base.commit, file)?;
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().unwrap_or(dir.path()))?;
            fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(Self { dir })
    }

    /// What it says of the patches, ignored types apart.
    fn faults(&self, ctx: &Ctx, series: &Series) -> Result<Vec<String>> {
        let sh = Shell::new()?;
        sh.change_dir(self.dir.path());
        let ignored = IGNORED.map(|(kind, _reason)| kind).join(",");
        let mut faults = Vec::new();
        for patch in &series.patches {
            let file = &patch.path;
            let check = cmd!(
                sh,
                "perl scripts/checkpatch.pl --strict --no-tree --root=. --terse --show-types --no-summary --ignore {ignored} {file}"
            );
            let said = match exec::read(ctx, check) {
                Ok(said) => said.lines().map(str::to_owned).collect(),
                Err(e) => e.downcast::<CommandFailed>()?.last,
            };
            let prefix = format!("{}:", file.display());
            let faulty = |line: &String| line.starts_with(&prefix);
            let (named, other): (Vec<_>, Vec<_>) = said.into_iter().partition(faulty);
            faults.extend(named.iter().map(|line| format!("{}:{}", file_name(file), &line[prefix.len()..])));
            // A checkpatch that cannot run must not look like a clean patch.
            faults.extend(
                other.into_iter().filter(|line| line.contains("checkpatch.pl") || line.contains("perl")),
            );
        }
        Ok(faults)
    }
}

fn subject_fault(patch: &Patch) -> Option<String> {
    let subject = &patch.subject;
    let Some((_, what)) = subject.rsplit_once(": ") else {
        return Some(format!("the subject names no subsystem: {subject}"));
    };
    let first = what.split(' ').next().unwrap_or_default();
    if subject.len() > SUBJECT_MAX {
        Some(format!("the subject has {} characters, {SUBJECT_MAX} are the limit", subject.len()))
    } else if !first.starts_with(char::is_uppercase) {
        Some(format!("after the subsystem the subject begins in lower case: {what}"))
    } else if first.ends_with("ed") || first.ends_with("ing") || subject.ends_with('.') {
        Some(format!("the subject is no command: {what}"))
    } else {
        None
    }
}

fn sign_off_fault(patch: &Patch) -> Option<String> {
    let author = header(&patch.text, "From").unwrap_or_default();
    let signed = patch.text.lines().take_while(|line| *line != "---");
    let signed = signed.filter_map(|line| line.strip_prefix("Signed-off-by: "));
    if signed.into_iter().any(|name| name.trim() == author) {
        None
    } else {
        Some(format!("no Signed-off-by of its author {author}"))
    }
}

/// `[PATCH n/m]` has to count the files without a gap.
fn numbering_faults(series: &Series) -> Vec<String> {
    let total = series.patches.len();
    let wrong = |(i, patch): (usize, &Patch)| {
        let name = file_name(&patch.path);
        let raw = header(&patch.text, "Subject").unwrap_or_default();
        let tag = raw.strip_prefix('[').and_then(|rest| rest.split(']').next()).unwrap_or_default();
        let number = tag.split(' ').next_back().unwrap_or_default().to_owned();
        let alone = total == 1 && !number.contains('/');
        let right = alone || number == format!("{}/{total}", i + 1);
        let in_order = name.starts_with(&format!("{:04}-", i + 1));
        (!right || !in_order)
            .then(|| format!("{name} is patch {} of {total}, its subject says [{tag}]", i + 1))
    };
    series.patches.iter().enumerate().filter_map(wrong).collect()
}

/// A series of several patches has a cover letter with the base it was made on and a link to the discussion.
fn cover_faults(root: &Path, name: &str, base: Option<&str>) -> Result<Vec<String>> {
    let dir = root.join("kernel-patches").join(name);
    let Some(cover) = patch_files(&dir)?.into_iter().find(|path| file_name(path).starts_with("0000-")) else {
        return Ok(vec!["there is no cover letter (0000-cover-letter.patch)".into()]);
    };
    let text = fs::read_to_string(&cover).with_context(|| format!("cannot read {}", cover.display()))?;
    let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
    let mut faults = Vec::new();
    match (value("base-commit: "), base) {
        (None, _) => faults.push("the cover letter has no base-commit".to_owned()),
        (Some(said), Some(base)) if said != base => {
            faults.push(format!("the cover letter's base-commit is {said}, the base is {base}"));
        }
        _ => {}
    }
    if value("Link: ").is_none() {
        faults.push("the cover letter has no Link:".to_owned());
    }
    if text.contains("*** SUBJECT HERE ***") || text.contains("*** BLURB HERE ***") {
        faults.push("the cover letter is not written".to_owned());
    }
    Ok(faults)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn patch(subject: &str, rest: &str) -> Patch {
        let text = format!("From: A B <a@b>\nSubject: {subject}\n\n{rest}\n---\n");
        let short = subject.split("] ").last().unwrap_or_default().to_owned();
        Patch { path: "0001-x.patch".into(), subject: short, touches: Vec::new(), text }
    }

    #[test]
    fn a_subject_is_a_short_command_to_a_subsystem() {
        assert_eq!(subject_fault(&patch("[PATCH] bpf: Add a flag", "")), None);
        for wrong in
            ["Add a flag", "bpf: add a flag", "bpf: Added a flag", "bpf: Adding x", "bpf: Add a flag."]
        {
            assert!(subject_fault(&patch(wrong, "")).is_some(), "{wrong}");
        }
        assert!(subject_fault(&patch(&format!("bpf: Add {}", "x".repeat(80)), "")).is_some());
    }

    #[test]
    fn the_author_has_to_sign() {
        assert_eq!(sign_off_fault(&patch("x", "Signed-off-by: A B <a@b>")), None);
        assert!(sign_off_fault(&patch("x", "Signed-off-by: C D <c@d>")).is_some());
        assert!(sign_off_fault(&patch("x", "")).is_some());
    }

    #[test]
    fn numbers_have_no_gap() {
        let series = |subjects: &[&str]| {
            let with_path = |(i, s): (usize, &&str)| Patch {
                path: format!("{:04}-x.patch", i + 1).into(),
                ..patch(s, "")
            };
            Series {
                name: "s".into(),
                lineage: "s".into(),
                patches: subjects.iter().enumerate().map(with_path).collect(),
                ..Series::default()
            }
        };
        assert!(
            numbering_faults(&series(&["[RFC PATCH bpf-next 1/2] a", "[RFC PATCH bpf-next 2/2] b"]))
                .is_empty()
        );
        assert_eq!(numbering_faults(&series(&["[PATCH 1/3] a", "[PATCH 3/3] b"])).len(), 2);
        assert!(numbering_faults(&series(&["[PATCH] a"])).is_empty());
    }
}
