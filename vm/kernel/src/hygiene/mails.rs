// SPDX-License-Identifier: MIT OR Apache-2.0
//! Faults of mails that a maintainer sees before reading a patch.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use crate::series::{Patch, Series, file_name, header, patch_files};

const SUBJECT_MAX: usize = 75;

/// A subject is a short command to a subsystem.
pub fn subject_fault(patch: &Patch) -> Option<String> {
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

/// A patch is signed by its author.
pub fn sign_off_fault(patch: &Patch) -> Option<String> {
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
pub fn numbering_faults(series: &Series) -> Vec<String> {
    let total = series.patches.len();
    let wrong = |(i, patch): (usize, &Patch)| {
        let name = file_name(&patch.path);
        let raw = header(&patch.text, "Subject").unwrap_or_default();
        let tag = raw.strip_prefix('[').and_then(|rest| rest.split(']').next()).unwrap_or_default();
        let number = tag.split(' ').next_back().unwrap_or_default().to_owned();
        let alone = total == 1 && !number.contains('/');
        // git pads: 02/11.
        let width = total.to_string().len();
        let right = alone || number == format!("{:0width$}/{total}", i + 1);
        let in_order = name.starts_with(&format!("{:04}-", i + 1));
        (!right || !in_order)
            .then(|| format!("{name} is patch {} of {total}, its subject says [{tag}]", i + 1))
    };
    series.patches.iter().enumerate().filter_map(wrong).collect()
}

/// A series has a cover letter with the base it was made on and a link to the discussion.
///
/// # Errors
/// When the cover letter cannot be read.
pub fn cover_faults(root: &Path, name: &str, base: Option<&str>) -> Result<Vec<String>> {
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
