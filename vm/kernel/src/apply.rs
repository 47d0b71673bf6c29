// SPDX-License-Identifier: MIT OR Apache-2.0
//! Applies a series by `git am` alone: no fuzz, no three-way merge, so what applies here applies for a maintainer.

use std::{fmt, fs, path::PathBuf};

use anyhow::{Context, Result, bail};
use ground::{
    cache::{read_if_there, write_whole},
    context::Ctx,
    exec::{self, CommandFailed},
    hash::hash,
    lock,
};
use xshell::{Shell, cmd};

use crate::{
    base::Base,
    patched::Patched,
    series::{Patch, Series, file_name},
    store::Store,
};

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

/// Applies the series to the base commit. The result is remembered by content, as is that of each patch on the way: what
/// differs from a known series in its last patch alone costs one patch.
///
/// # Errors
/// [`DoesNotApply`]; git's own failures.
pub fn apply(ctx: &Ctx, store: &Store, base: &Base, series: &Series) -> Result<(Patched, bool)> {
    let patches = series.patches_for(&base.line)?;
    let base_commit = base.commit.as_str();
    let subjects = || patches.iter().map(|p| p.subject.clone()).collect();
    let tree_of = |commit: &str| store.resolve(ctx, &format!("{commit}^{{tree}}"));
    if patches.is_empty() {
        return Ok((
            Patched { commit: base_commit.into(), tree: tree_of(base_commit)?, patches: Vec::new() },
            true,
        ));
    }
    let memory = ctx.cache.dir("series")?;
    let mut parts = vec![base_commit.as_bytes()];
    parts.extend(patches.iter().map(|patch| patch.text.as_bytes()));
    // What the first `n` patches make is remembered in the `n`th.
    let memories: Vec<PathBuf> = (1..=parts.len()).map(|n| memory.join(hash(&parts[..n]))).collect();
    let known = |n: usize| -> Result<Option<String>> {
        let commit = read_if_there(&memories[n])?;
        Ok(commit.filter(|commit| tree_of(commit).is_ok()))
    };
    if let Some(commit) = known(patches.len())? {
        return Ok((Patched { tree: tree_of(&commit)?, commit, patches: subjects() }, true));
    }
    let _lock = lock::take(ctx, "series", "applying a series")?;
    let mut start = (0, base_commit.to_owned());
    for n in (1..patches.len()).rev() {
        if let Some(commit) = known(n)? {
            start = (n, commit);
            break;
        }
    }
    let (done, from) = start;
    let commits = git_am(ctx, store, (&from, &base.name), &patches[done..])?;
    for (n, commit) in commits.iter().enumerate() {
        write_whole(&memories[done + n + 1], commit.as_bytes())?;
    }
    let commit = commits.last().context("`git am` made no commit")?.clone();
    Ok((Patched { tree: tree_of(&commit)?, commit, patches: subjects() }, false))
}

/// Runs `git am` in a throw-away repository that borrows the store's objects and checks out the touched files alone. Gives
/// the commit of each patch.
fn git_am(
    ctx: &Ctx,
    store: &Store,
    (commit, base_name): (&str, &str),
    patches: &[Patch],
) -> Result<Vec<String>> {
    let temp = ctx.cache.temp("series")?;
    let sh = Shell::new()?;
    sh.change_dir(temp.path());
    sh.set_var("GIT_CONFIG_GLOBAL", "/dev/null");
    sh.set_var("GIT_CONFIG_NOSYSTEM", "1");
    sh.set_var("GIT_ATTR_NOSYSTEM", "1");
    sh.set_var("GIT_OBJECT_DIRECTORY", store.objects());
    sh.set_var("GIT_CEILING_DIRECTORIES", temp.path().parent().unwrap_or(temp.path()));
    // The committer is fixed, the dates are the authors': the same series gives the same commit.
    sh.set_var("GIT_COMMITTER_NAME", "xtask");
    sh.set_var("GIT_COMMITTER_EMAIL", "xtask@localhost");
    exec::read(ctx, cmd!(sh, "git init --quiet --template= ."))?;
    for setting in [
        "core.sparseCheckout=true",
        "core.sparseCheckoutCone=false",
        "core.fsync=none",
        "core.attributesFile=/dev/null",
    ] {
        let (key, value) = setting.split_once('=').unwrap_or((setting, "true"));
        exec::read(ctx, cmd!(sh, "git config {key} {value}"))?;
    }
    let mut files: Vec<String> =
        patches.iter().flat_map(|p| &p.touches).map(|file| format!("/{file}\n")).collect();
    files.sort();
    files.dedup();
    let info = temp.path().join(".git/info");
    fs::create_dir_all(&info)?;
    fs::write(info.join("sparse-checkout"), files.concat())?;
    exec::read(ctx, cmd!(sh, "git update-ref --no-deref HEAD {commit}"))?;
    exec::read(ctx, cmd!(sh, "git read-tree -m -u HEAD"))?;
    let mut commits = Vec::new();
    for patch in patches {
        let file = &patch.path;
        let am = cmd!(sh, "git am --quiet --no-3way --keep-non-patch --committer-date-is-author-date {file}");
        if let Err(e) = exec::read(ctx, am) {
            let Some(failed) = e.downcast_ref::<CommandFailed>() else { return Err(e) };
            let said = exec::read(ctx, cmd!(sh, "git apply --check --verbose {file}"))
                .err()
                .and_then(|e| e.downcast::<CommandFailed>().ok())
                .map_or_else(|| failed.last.clone(), |check| check.last);
            if said.iter().chain(&failed.last).any(|line| ground::space::says_full(line)) {
                bail!(e);
            }
            return Err(DoesNotApply {
                patch: file_name(file),
                base: base_name.to_owned(),
                files: refused(&said),
                said: said.into_iter().filter(|l| l.starts_with("error:")).collect(),
            }
            .into());
        }
        commits.push(exec::read(ctx, cmd!(sh, "git rev-parse HEAD"))?);
    }
    Ok(commits)
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
    use super::refused;

    #[test]
    fn the_refused_file_is_named_with_its_line() {
        let said = ["error: patch failed: kernel/x.c:12", "error: kernel/x.c: patch does not apply"];
        assert_eq!(refused(&said.map(String::from)), ["kernel/x.c:12"]);
        assert_eq!(refused(&["error: a/y.c: does not exist in index".into()]), ["a/y.c"]);
    }
}
