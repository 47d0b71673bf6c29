// SPDX-License-Identifier: MIT OR Apache-2.0
//! A deliberate mistake, as a mail: a wrong patch, and who has to notice.

use anyhow::{Context as _, Result, ensure};
use ground::context::Ctx;
use guest::leaks;
use kernel::{
    profile::{self, Profile},
    series::{MUTANTS, Patch, file_name, header, patch_files},
};

/// Header of a mutant's mail: the beginning of the names of the tests of which one has to fail.
const CAUGHT_BY: &str = "Caught-by";
/// Header, where it is not these tests that notice, but the kernel when they are over: which of them have to be run.
const EXERCISED_BY: &str = "Exercised-by";
/// How such a header starts that names what the kernel says of itself, not a test: the words of [`guest::splat`].
const SPLAT: &str = "splat::";
/// Header, where no other kernel notices.
const PROFILE: &str = "Profile";

/// A wrong patch, and who has to notice.
pub struct Mutant {
    /// The name of its file.
    pub name: String,
    /// The beginning of the names of the tests of which one has to fail.
    pub caught_by: String,
    /// Which tests have to be run.
    pub exercised_by: String,
    /// How its kernel has to be configured, if that matters.
    profile: Option<String>,
    /// The change.
    pub patch: Patch,
}

impl Mutant {
    /// It takes a kernel that looks for leaks.
    pub fn leaks(&self) -> bool {
        self.caught_by == leaks::TEST
    }

    /// What the kernel has to say of itself, where that is what catches it.
    pub fn splat(&self) -> Option<&str> {
        self.caught_by.strip_prefix(SPLAT)
    }

    /// Why a kernel that is configured so would not notice, if it would not.
    pub fn escapes(&self, profile: &Profile) -> Option<String> {
        match &self.profile {
            _ if self.leaks() && !profile.finds_leaks => {
                Some("this kernel does not look for leaks: --profile debug".into())
            }
            Some(wanted) if *wanted != profile.name => {
                Some(format!("it takes another kernel: --profile {wanted}"))
            }
            _ => None,
        }
    }
}

/// The mutants there are.
///
/// # Errors
/// A mail that cannot be read, or does not say who catches it; no mutant.
pub fn read(ctx: &Ctx, filters: &[String]) -> Result<Vec<Mutant>> {
    let dir = ctx.root.join("kernel-patches").join(MUTANTS);
    let mut mutants = Vec::new();
    for path in patch_files(&dir)? {
        let name = file_name(&path.with_extension(""));
        if !filters.is_empty() && !filters.iter().any(|filter| name.contains(filter)) {
            continue;
        }
        let patch = Patch::read(&path)?;
        let caught_by = caught_by(&patch.text).with_context(|| {
            format!("{} does not say which test has to fail ({CAUGHT_BY}:)", path.display())
        })?;
        let exercised_by = said(&patch.text, EXERCISED_BY);
        ensure!(
            exercised_by.is_some() || !caught_by.starts_with(SPLAT),
            "{} does not say which tests make the kernel speak ({EXERCISED_BY}:)",
            path.display()
        );
        let exercised_by = exercised_by.unwrap_or_else(|| caught_by.clone());
        let profile = said(&patch.text, PROFILE);
        if let Some(profile) = &profile {
            ensure!(
                profile::names().contains(&profile.as_str()),
                "{} names a profile that there is not: {profile}",
                path.display()
            );
        }
        mutants.push(Mutant { name, caught_by, exercised_by, profile, patch });
    }
    ensure!(!mutants.is_empty(), "no mutant to run in {}: is --filter right?", dir.display());
    Ok(mutants)
}

/// The promise that has to fail, if the mail says so.
pub fn caught_by(mail: &str) -> Option<String> {
    said(mail, CAUGHT_BY)
}

/// From the mail's header or the trailers of its message.
fn said(mail: &str, what: &str) -> Option<String> {
    let trailer = || {
        let lines = mail.lines().take_while(|line| *line != "---");
        lines
            .filter_map(|line| line.strip_prefix(what)?.strip_prefix(':'))
            .last()
            .map(|v| v.trim().to_owned())
    };
    header(mail, what).or_else(trailer).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_catches_a_mutant_is_read_from_header_or_trailer() {
        assert_eq!(caught_by("Subject: x\nCaught-by: errno::\n\nbody\n---\n").unwrap(), "errno::");
        assert_eq!(caught_by("Subject: x\n\nbody\n\nCaught-by: race::a\n---\n").unwrap(), "race::a");
        assert_eq!(caught_by("Subject: x\n\nbody\n---\nCaught-by: late\n"), None);
    }
}
