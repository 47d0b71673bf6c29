// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the compiler (`W=1`) and sparse say of the files that a series touches, and did not say of them before.

use std::{collections::BTreeSet, fs, path::PathBuf};

use anyhow::{Context, Result};
use ground::context::Ctx;

use crate::{
    series::{NONE, Series},
    sparse,
};

/// How kbuild says that it leaves sparse out.
const TOO_OLD: &str = "sparse is not available or not up to date";

/// What was said.
pub struct Messages {
    /// Only with the series.
    pub new: Vec<String>,
    /// Sparse had its say too: the kernel refuses one that is older than its own code.
    pub sparse: bool,
}

/// Compiles single objects with a series anew, with more words for make; gives the log.
pub type Compile<'a> = &'a dyn Fn(&Series, &[String], &[&str]) -> Result<PathBuf>;

/// The messages that are new with `series`. Where the build refuses the sparse of this machine, a newer one is fetched.
///
/// # Errors
/// When a file does not compile, with or without it.
pub fn new_with(ctx: &Ctx, compile: Compile<'_>, series: &Series, offline: bool) -> Result<Messages> {
    let objects = objects(series);
    let base = Series::read(&ctx.root, NONE)?;
    let mut check = "sparse".to_owned();
    let (mut before, mut taken) = messages(compile, &base, &objects, &check)?;
    if !taken {
        match sparse::fetched(ctx, offline) {
            Ok(program) => {
                check = program.display().to_string();
                (before, taken) = messages(compile, &base, &objects, &check)?;
            }
            Err(why) => {
                ctx.still_wanted()?;
                ctx.events.note(format!("no newer sparse: {why:#}"));
            }
        }
    }
    let (after, _) = messages(compile, series, &objects, &check)?;
    Ok(Messages { new: after.difference(&before).cloned().collect(), sparse: taken })
}

/// The objects of the kernel whose source a series changes.
fn objects(series: &Series) -> Vec<String> {
    let touched = series.patches.iter().flat_map(|patch| &patch.touches);
    let ours = touched.filter(|file| !file.starts_with("tools/") && !file.starts_with("samples/"));
    let names: BTreeSet<String> =
        ours.filter_map(|file| Some(format!("{}.o", file.strip_suffix(".c")?))).collect();
    names.into_iter().collect()
}

/// What is said, and whether the build took `check` for a sparse that is new enough.
fn messages(
    compile: Compile<'_>,
    series: &Series,
    objects: &[String],
    check: &str,
) -> Result<(BTreeSet<String>, bool)> {
    let log = compile(series, objects, &["W=1", "C=2", &format!("CHECK={check}")])?;
    let said = fs::read_to_string(&log).with_context(|| format!("cannot read {}", log.display()))?;
    Ok((said.lines().filter_map(message).collect(), !said.contains(TOO_OLD)))
}

/// `../kernel/x.c:12:3: warning: text` without its line, which every patch shifts.
fn message(line: &str) -> Option<String> {
    let (place, text) = line.split_once(": warning: ").or_else(|| line.split_once(": error: "))?;
    let file = place.split(':').next()?.trim_start_matches("../");
    Some(format!("{file}: {}", text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_the_same_wherever_it_has_moved_to() {
        let told = message("../kernel/bpf/hashtab.c:12:3: warning: symbol 'x' was not declared");
        assert_eq!(told, message("../kernel/bpf/hashtab.c:99:1: warning: symbol 'x' was not declared"));
        assert_eq!(told.unwrap(), "kernel/bpf/hashtab.c: symbol 'x' was not declared");
        assert_eq!(message("  CC      kernel/bpf/hashtab.o"), None);
    }
}
