// SPDX-License-Identifier: MIT OR Apache-2.0
//! A series is a folder of mails under `kernel-patches/`. It is applied by `git am` alone: no fuzz, no three-way
//! merge, so what applies here applies for a maintainer.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;
use xshell::{Shell, cmd};

use crate::{
    cache::{read_if_there, write_whole},
    context::Ctx,
    exec::{self, CommandFailed},
    hash::hash,
    lock,
    store::Store,
};

/// Names the base itself: no patches.
pub const NONE: &str = "base";
/// The series that is meant when none is named.
pub const DEFAULT: &str = "v2";
/// The folder beside the series that holds wrong changes to one of them, and no series.
pub const MUTANTS: &str = "mutants";

/// One mail.
#[derive(Clone, Debug)]
pub struct Patch {
    /// Its file.
    pub path: PathBuf,
    /// Its subject without `[PATCH …]`.
    pub subject: String,
    /// The files it changes.
    pub touches: Vec<String>,
    /// All of it.
    pub text: String,
}

/// The mails of a series in order; cover letters (`0000-…`) are left out.
#[derive(Clone, Debug, Default)]
pub struct Series {
    /// As `--series` names it.
    pub name: String,
    /// Names the work tree that it is built in.
    pub lineage: String,
    /// In the order of their file names.
    pub patches: Vec<Patch>,
}

/// A base with a series applied.
#[derive(Clone, Debug, Serialize)]
pub struct Patched {
    /// The commit in the store.
    pub commit: String,
    /// Its tree.
    pub tree: String,
    /// Subjects, in order.
    pub patches: Vec<String>,
}

/// A patch that `git am` refuses.
#[derive(Debug)]
pub struct DoesNotApply {
    patch: String,
    base: String,
    files: Vec<String>,
    said: Vec<String>,
}

impl fmt::Display for DoesNotApply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} does not apply to {}", self.patch, self.base)?;
        if !self.files.is_empty() {
            write!(f, " at {}", self.files.join(", "))?;
        }
        write!(f, "; rebase it, or give the tree it was made for with --kernel-src DIR; git said:")?;
        self.said.iter().try_for_each(|line| write!(f, "\n    | {line}"))
    }
}

impl std::error::Error for DoesNotApply {}

impl Series {
    /// Reads `kernel-patches/<name>/*.patch`.
    ///
    /// # Errors
    /// When there is no such folder, no patch in it, or a file is no mail.
    pub fn read(root: &Path, name: &str) -> Result<Self> {
        if name == NONE {
            return Ok(Self { name: name.into(), lineage: name.into(), patches: Vec::new() });
        }
        let dir = root.join("kernel-patches").join(name);
        let there = || all(root).join(", ");
        ensure!(
            !name.contains('/') && dir.is_dir(),
            "there is no series `{name}` in kernel-patches/; there are: {NONE}, {}",
            there()
        );
        let patches = patch_files(&dir)?
            .into_iter()
            .filter(|path| !file_name(path).starts_with("0000-"))
            .map(|path| Patch::read(&path))
            .collect::<Result<Vec<_>>>()?;
        ensure!(!patches.is_empty(), "kernel-patches/{name} holds no *.patch file");
        Ok(Self { name: name.into(), lineage: name.into(), patches })
    }

    /// This series with one more patch at its end, under another name. All such variants of a series are built in one
    /// work tree: they differ in little from each other.
    pub fn with(&self, name: &str, patch: Patch) -> Self {
        let mut patches = self.patches.clone();
        patches.push(patch);
        Self { name: name.into(), lineage: format!("{}-variants", self.lineage), patches }
    }

    /// The first `n` patches.
    pub fn up_to(&self, n: usize) -> Self {
        Self {
            name: self.name.clone(),
            lineage: self.lineage.clone(),
            patches: self.patches[..n.min(self.patches.len())].to_vec(),
        }
    }
}

impl Patch {
    /// Reads one mail.
    ///
    /// # Errors
    /// When it cannot be read or changes no file.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let touches = touched(&text);
        ensure!(!touches.is_empty(), "{} is no patch: it changes no file", path.display());
        Ok(Self { path: path.into(), subject: subject(&text), touches, text })
    }
}

/// The series there are, by name: folders that hold a patch, mutants apart.
pub fn all(root: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(root.join("kernel-patches")) else { return Vec::new() };
    let mut names: Vec<String> = entries
        .flatten()
        .filter(|entry| patch_files(&entry.path()).is_ok_and(|files| !files.is_empty()))
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name != MUTANTS)
        .collect();
    names.sort();
    names
}

/// The `*.patch` files of a folder in order.
///
/// # Errors
/// When the folder cannot be read.
pub fn patch_files(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = fs::read_dir(dir)
        .with_context(|| format!("cannot read {}", dir.display()))?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "patch"))
        .collect();
    files.sort();
    Ok(files)
}

/// A path's last part.
pub fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The value of a mail header, its folded lines joined.
pub fn header(text: &str, name: &str) -> Option<String> {
    let mut value: Option<String> = None;
    for line in text.lines().take_while(|line| !line.is_empty()) {
        match &mut value {
            Some(value) if line.starts_with([' ', '\t']) => {
                value.push(' ');
                value.push_str(line.trim());
            }
            Some(_) => break,
            None => {
                if let Some((key, rest)) = line.split_once(':')
                    && key.eq_ignore_ascii_case(name)
                {
                    value = Some(rest.trim().to_owned());
                }
            }
        }
    }
    value
}

/// The subject without its `[PATCH …]`.
fn subject(text: &str) -> String {
    let subject = header(text, "Subject").unwrap_or_default();
    match subject.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((_, rest)) => rest.trim().to_owned(),
        None => subject,
    }
}

/// The files that the diffs of a mail change.
fn touched(text: &str) -> Vec<String> {
    let mut files: Vec<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("+++ b/").or_else(|| line.strip_prefix("--- a/")))
        .map(|file| file.split('\t').next().unwrap_or(file).to_owned())
        .collect();
    files.sort();
    files.dedup();
    files
}

/// Applies the series to the base commit. The result is remembered by content.
///
/// # Errors
/// [`DoesNotApply`]; git's own failures.
pub fn apply(ctx: &Ctx, store: &Store, base: (&str, &str), series: &Series) -> Result<(Patched, bool)> {
    let (base_commit, base_name) = base;
    let subjects = || series.patches.iter().map(|p| p.subject.clone()).collect();
    let tree_of = |commit: &str| store.resolve(ctx, &format!("{commit}^{{tree}}"));
    if series.patches.is_empty() {
        return Ok((
            Patched { commit: base_commit.into(), tree: tree_of(base_commit)?, patches: Vec::new() },
            true,
        ));
    }
    let mut parts = vec![base_commit.as_bytes()];
    parts.extend(series.patches.iter().map(|patch| patch.text.as_bytes()));
    let memory = ctx.cache.dir("series")?.join(hash(&parts));
    if let Some(commit) = read_if_there(&memory)?
        && let Ok(tree) = tree_of(&commit)
    {
        return Ok((Patched { commit, tree, patches: subjects() }, true));
    }
    let _lock = lock::take(ctx, "series", "applying a series")?;
    let commit = git_am(ctx, store, base_commit, base_name, series)?;
    write_whole(&memory, commit.as_bytes())?;
    Ok((Patched { tree: tree_of(&commit)?, commit, patches: subjects() }, false))
}

/// Runs `git am` in a throw-away repository that borrows the store's objects and checks out the touched files alone.
fn git_am(ctx: &Ctx, store: &Store, base_commit: &str, base_name: &str, series: &Series) -> Result<String> {
    let temp = ctx.cache.temp("series")?;
    let sh = Shell::new()?;
    sh.change_dir(temp.path());
    sh.set_var("GIT_CONFIG_GLOBAL", "/dev/null");
    sh.set_var("GIT_CONFIG_NOSYSTEM", "1");
    sh.set_var("GIT_OBJECT_DIRECTORY", store.objects());
    sh.set_var("GIT_CEILING_DIRECTORIES", temp.path().parent().unwrap_or(temp.path()));
    // The committer is fixed, the dates are the authors': the same series gives the same commit.
    sh.set_var("GIT_COMMITTER_NAME", "xtask");
    sh.set_var("GIT_COMMITTER_EMAIL", "xtask@localhost");
    exec::read(ctx, cmd!(sh, "git init --quiet --template= ."))?;
    for setting in ["core.sparseCheckout=true", "core.sparseCheckoutCone=false", "core.fsync=none"] {
        let (key, value) = setting.split_once('=').unwrap_or((setting, "true"));
        exec::read(ctx, cmd!(sh, "git config {key} {value}"))?;
    }
    let mut files: Vec<String> =
        series.patches.iter().flat_map(|p| &p.touches).map(|file| format!("/{file}\n")).collect();
    files.sort();
    files.dedup();
    let info = temp.path().join(".git/info");
    fs::create_dir_all(&info)?;
    fs::write(info.join("sparse-checkout"), files.concat())?;
    exec::read(ctx, cmd!(sh, "git update-ref --no-deref HEAD {base_commit}"))?;
    exec::read(ctx, cmd!(sh, "git read-tree -m -u HEAD"))?;
    for patch in &series.patches {
        let file = &patch.path;
        let am = cmd!(sh, "git am --quiet --no-3way --keep-non-patch --committer-date-is-author-date {file}");
        if let Err(e) = exec::read(ctx, am) {
            let Some(failed) = e.downcast_ref::<CommandFailed>() else { return Err(e) };
            let said = exec::read(ctx, cmd!(sh, "git apply --check --verbose {file}"))
                .err()
                .and_then(|e| e.downcast::<CommandFailed>().ok())
                .map_or_else(|| failed.last.clone(), |check| check.last);
            if said.iter().chain(&failed.last).any(|line| crate::space::says_full(line)) {
                bail!(e);
            }
            return Err(DoesNotApply {
                patch: file_name(file),
                base: base_name.into(),
                files: refused(&said),
                said: said.into_iter().filter(|l| l.starts_with("error:")).collect(),
            }
            .into());
        }
    }
    exec::read(ctx, cmd!(sh, "git rev-parse HEAD"))
}

/// The files that `git apply` names in its complaints.
fn refused(said: &[String]) -> Vec<String> {
    let mut files: Vec<String> = said
        .iter()
        .filter_map(|line| line.strip_prefix("error: "))
        .filter_map(|line| match line.strip_prefix("patch failed: ") {
            Some(place) => Some(place.to_owned()),
            None => line
                .split_once(": ")
                .filter(|(file, _)| file.contains(['/', '.']))
                .map(|(file, _)| file.into()),
        })
        .collect();
    // "patch failed: FILE:LINE" says more than "FILE: patch does not apply" that follows it.
    let with_line: Vec<String> = files.iter().filter(|f| f.contains(':')).cloned().collect();
    files.retain(|f| f.contains(':') || !with_line.iter().any(|w| w.starts_with(&format!("{f}:"))));
    files.dedup();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &str = "From 0 Mon Sep 17 00:00:00 2001\nFrom: A B <a@b>\nSubject: [PATCH bpf-next 1/3] bpf: Add a\n flag\n\n\
                        text\n---\n--- a/kernel/x.c\n+++ b/kernel/x.c\n--- /dev/null\n+++ b/new.c\n";

    #[test]
    fn a_mail_tells_its_subject_and_files() {
        assert_eq!(subject(MAIL), "bpf: Add a flag");
        assert_eq!(touched(MAIL), ["kernel/x.c", "new.c"]);
        assert_eq!(header(MAIL, "from").unwrap(), "A B <a@b>");
        assert_eq!(header(MAIL, "caught-by"), None);
    }

    #[test]
    fn the_refused_file_is_named_with_its_line() {
        let said = ["error: patch failed: kernel/x.c:12", "error: kernel/x.c: patch does not apply"];
        assert_eq!(refused(&said.map(String::from)), ["kernel/x.c:12"]);
        assert_eq!(refused(&["error: a/y.c: does not exist in index".into()]), ["a/y.c"]);
    }
}
