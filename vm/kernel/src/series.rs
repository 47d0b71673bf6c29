// SPDX-License-Identifier: MIT OR Apache-2.0
//! A series is a folder of mails under `kernel-patches/`; `v3+kfunc` is the first with the second on top of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use ground::cache;

use crate::base;

/// Names the base itself: no patches.
pub const NONE: &str = results::BASE;
/// The series that is meant when none is named.
pub const DEFAULT: &str = "v3+kfunc";
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
    /// The same for other lines of kernels, as `carried` makes them.
    pub variants: BTreeMap<String, Vec<Patch>>,
    /// Lines of kernels that it is not carried to, and why: `LINE/not-carried.txt`.
    pub not_carried: BTreeMap<String, String>,
}

/// The name of that file.
const NOT_CARRIED: &str = "not-carried.txt";

/// Names the mails that a line of kernels does without, one a line, and says why in the others.
const LEFT_OUT: &str = "left-out.txt";

impl Series {
    /// Reads the folders of `kernel-patches/` that `name` names, joined by `+`. A mail that two of them have is applied
    /// once: a series that builds on parts of another carries copies of them, so that it applies by itself too.
    ///
    /// # Errors
    /// When there is no such folder, no patch in it, a file is no mail, or one subject has two different diffs.
    pub fn read(root: &Path, name: &str) -> Result<Self> {
        if name == NONE {
            return Ok(Self { name: name.into(), lineage: name.into(), ..Self::default() });
        }
        let parts = name.split('+').map(|part| Self::folder(root, part)).collect::<Result<Vec<_>>>()?;
        let not_carried: BTreeMap<_, _> = parts.iter().flat_map(|part| part.not_carried.clone()).collect();
        let lines: BTreeSet<&String> = parts.iter().flat_map(|part| part.variants.keys()).collect();
        let join = |line: &str| {
            joined(parts.iter().map(|part| part.variants.get(line).unwrap_or(&part.patches).as_slice()))
        };
        let carried = lines.iter().filter(|line| !not_carried.contains_key(**line));
        let variants = carried.map(|line| Ok(((*line).clone(), join(line)?))).collect::<Result<_>>()?;
        let patches = joined(parts.iter().map(|part| part.patches.as_slice()))?;
        Ok(Self { name: name.into(), lineage: name.into(), patches, variants, not_carried })
    }

    fn folder(root: &Path, name: &str) -> Result<Self> {
        let dir = root.join("kernel-patches").join(name);
        let there = || all(root).join(", ");
        ensure!(
            !name.contains('/') && !name.is_empty() && dir.is_dir(),
            "there is no series `{name}` in kernel-patches/; there are: {NONE}, {}; A+B is B on top of A",
            there()
        );
        let patches = mails(&dir)?;
        ensure!(!patches.is_empty(), "kernel-patches/{name} holds no *.patch file");
        let (mut variants, mut not_carried) = (BTreeMap::new(), BTreeMap::new());
        for line in base::lines() {
            let dir = dir.join(line);
            if let Ok(reason) = fs::read_to_string(dir.join(NOT_CARRIED)) {
                not_carried.insert(line.to_owned(), reason.split_whitespace().collect::<Vec<_>>().join(" "));
            } else if dir.is_dir() {
                variants.insert(line.to_owned(), carried(&patches, &dir)?);
            }
        }
        Ok(Self { name: name.into(), lineage: name.into(), patches, variants, not_carried })
    }

    /// The patches for that line of kernels.
    ///
    /// # Errors
    /// When the series is not carried to it.
    pub fn patches_for(&self, line: &str) -> Result<&[Patch]> {
        if let Some(reason) = self.not_carried.get(line) {
            bail!("{} is not carried to {line}: {reason}", self.name);
        }
        Ok(self.variants.get(line).unwrap_or(&self.patches))
    }

    /// This series with one more patch at its end, under another name. All such variants of a series are built in one
    /// work tree: they differ in little from each other.
    pub fn with(&self, name: &str, patch: &Patch) -> Self {
        let with = |patches: &[Patch]| patches.iter().chain([patch]).cloned().collect();
        self.each(with).named(name, format!("{}-variants", self.lineage))
    }

    /// The first `n` patches.
    pub fn up_to(&self, n: usize) -> Self {
        self.each(|patches| patches[..n.min(patches.len())].to_vec())
    }

    /// This series with its patches changed, for every line of kernels.
    fn each(&self, change: impl Fn(&[Patch]) -> Vec<Patch>) -> Self {
        let variants = self.variants.iter().map(|(line, patches)| (line.clone(), change(patches)));
        Self { patches: change(&self.patches), variants: variants.collect(), ..self.clone() }
    }

    fn named(self, name: &str, lineage: String) -> Self {
        Self { name: name.into(), lineage, ..self }
    }
}

/// One after the other; a mail that a part before has is left out.
fn joined<'a>(parts: impl Iterator<Item = &'a [Patch]>) -> Result<Vec<Patch>> {
    let mut all: Vec<Patch> = Vec::new();
    for part in parts {
        let before = all.len();
        for patch in part {
            let Some(same) = all[..before].iter().find(|other| other.subject == patch.subject) else {
                all.push(patch.clone());
                continue;
            };
            ensure!(
                changes(&same.text).eq(changes(&patch.text)),
                "{} and {} have one subject and are not the same change: copy the one that is right over the other",
                same.path.display(),
                patch.path.display()
            );
        }
    }
    Ok(all)
}

/// What the diffs of a mail take and give. Places and object names depend on what was applied before.
fn changes(text: &str) -> impl Iterator<Item = &str> {
    text.lines().skip_while(|line| *line != "---").filter(|line| line.starts_with(['+', '-']))
}

/// The mails of a series for a line of kernels: those in the line's folder stand in for their namesakes, whatever their
/// numbers are; what it leaves out is left out; all else is the series' own.
fn carried(patches: &[Patch], dir: &Path) -> Result<Vec<Patch>> {
    let own = mails(dir)?;
    let left_out = cache::read_if_there(&dir.join(LEFT_OUT))?.unwrap_or_default();
    let left_out: BTreeSet<&str> =
        left_out.lines().filter(|line| line.ends_with(".patch")).map(unnumbered).collect();
    let names: BTreeSet<String> = patches.iter().map(Patch::unnumbered).collect();
    let strangers = own.iter().map(Patch::unnumbered).chain(left_out.iter().map(|name| (*name).to_owned()));
    for name in strangers {
        ensure!(names.contains(&name), "{} names {name}, which is no mail of the series", dir.display());
    }
    let kept = patches.iter().filter(|patch| !left_out.contains(patch.unnumbered().as_str()));
    Ok(kept
        .map(|patch| {
            own.iter().find(|other| other.unnumbered() == patch.unnumbered()).unwrap_or(patch).clone()
        })
        .collect())
}

/// The name of a mail's file without its number.
fn unnumbered(name: &str) -> &str {
    name.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches('-')
}

/// The mails of a folder in order, cover letters apart.
fn mails(dir: &Path) -> Result<Vec<Patch>> {
    let files = patch_files(dir)?.into_iter().filter(|path| !file_name(path).starts_with("0000-"));
    files.map(|path| Patch::read(&path)).collect()
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

    fn unnumbered(&self) -> String {
        unnumbered(&file_name(&self.path)).to_owned()
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

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &str = "From 0 Mon Sep 17 00:00:00 2001\nFrom: A B <a@b>\nSubject: [PATCH bpf-next 1/3] bpf: Add a\n flag\n\n\
                        text\n---\n--- a/kernel/x.c\n+++ b/kernel/x.c\n--- /dev/null\n+++ b/new.c\n";

    fn patch(subject: &str, line: &str) -> Patch {
        let text = format!("Subject: {subject}\n\n---\ndiff --git a/x b/x\n+{line}\n-- \n2.39\n");
        Patch { path: subject.into(), subject: subject.into(), touches: Vec::new(), text }
    }

    #[test]
    fn a_mail_of_two_series_is_applied_once_and_has_to_be_the_same() {
        let (first, second) = ([patch("a", "1"), patch("b", "2")], [patch("a", "1"), patch("c", "3")]);
        let both = joined([first.as_slice(), second.as_slice()].into_iter()).unwrap();
        assert_eq!(both.iter().map(|patch| patch.subject.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
        let other = [patch("a", "9")];
        let said = joined([first.as_slice(), other.as_slice()].into_iter()).unwrap_err().to_string();
        assert!(said.contains("not the same change"), "{said}");
    }

    #[test]
    fn a_mail_for_a_line_stands_in_for_its_namesake() {
        let root = std::env::temp_dir().join(format!("series-line-{}", std::process::id()));
        let line = root.join("7.2");
        fs::create_dir_all(&line).unwrap();
        let mail = |path: &Path, body: &str| fs::write(path, MAIL.replace("text", body)).unwrap();
        for name in ["0001-a.patch", "0002-b.patch", "0003-c.patch"] {
            mail(&root.join(name), "new");
        }
        mail(&line.join("0002-c.patch"), "old");
        let left_out = |text: &str| fs::write(line.join(LEFT_OUT), text).unwrap();
        left_out("It has no b:\n0002-b.patch\n");
        let series = mails(&root).unwrap();
        let texts: Vec<bool> =
            carried(&series, &line).unwrap().iter().map(|patch| patch.text.contains("old")).collect();
        assert_eq!(texts, [false, true]);
        left_out("0009-d.patch\n");
        let said = carried(&series, &line).unwrap_err().to_string();
        assert!(said.contains("names d.patch, which is no mail of the series"), "{said}");
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn a_mail_tells_its_subject_and_files() {
        assert_eq!(subject(MAIL), "bpf: Add a flag");
        assert_eq!(touched(MAIL), ["kernel/x.c", "new.c"]);
        assert_eq!(header(MAIL, "from").unwrap(), "A B <a@b>");
        assert_eq!(header(MAIL, "caught-by"), None);
    }
}
