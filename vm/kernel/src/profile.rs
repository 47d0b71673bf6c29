// SPDX-License-Identifier: MIT OR Apache-2.0
//! The named configurations, each put together from fragments under `vm/config/`.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use crate::fragment::merge;

/// A named configuration.
#[derive(Clone, Debug)]
pub struct Profile {
    /// As the report names it.
    pub name: String,
    /// The text of its fragments.
    pub fragment: String,
    /// What the time limits of a guest are multiplied by.
    pub patience: u32,
    /// The kernel can look for memory that nobody points to any more.
    pub finds_leaks: bool,
    /// Words for the kernel's command line.
    pub append: &'static [&'static str],
}

/// The profile of ordinary runs.
pub const LEAN: &str = "lean";
/// That whose kernel preempts packets.
pub const RT: &str = "rt";

/// What the kernel's own selftests need of any profile.
const SELFTESTS: &str = "selftests";

/// A profile: its name, its fragments under `vm/config/`, of which a later one wins over those before it, and the rest as
/// in [`Profile`].
struct Row {
    name: &'static str,
    fragments: &'static [&'static str],
    patience: u32,
    finds_leaks: bool,
    append: &'static [&'static str],
}

const PROFILES: [Row; 7] = [
    Row { name: LEAN, fragments: &["lean.config"], patience: 1, finds_leaks: false, append: &[] },
    Row {
        name: "debug",
        fragments: &["lean.config", "debug.config"],
        patience: 8,
        finds_leaks: true,
        // While the boot CPU is looked at, its capabilities are empty, five levels of page tables among them: KASAN then
        // takes a per-CPU variable that an interrupt reads for a wild address, and lockdep ends with the report.
        append: &["no5lvl"],
    },
    Row { name: "bare", fragments: &["bare.config"], patience: 1, finds_leaks: false, append: &[] },
    Row {
        name: "hardened",
        fragments: &["lean.config", "hardened.config"],
        patience: 1,
        finds_leaks: false,
        append: &["mitigations=auto"],
    },
    Row {
        name: "kcsan",
        fragments: &["lean.config", "kcsan.config"],
        patience: 8,
        finds_leaks: false,
        append: &[],
    },
    Row {
        name: "fault",
        fragments: &["lean.config", "fault.config"],
        patience: 1,
        finds_leaks: false,
        append: &[],
    },
    Row { name: RT, fragments: &["lean.config", "rt.config"], patience: 1, finds_leaks: false, append: &[] },
];

/// The names of all profiles.
pub fn names() -> [&'static str; PROFILES.len()] {
    PROFILES.map(|row| row.name)
}

impl Profile {
    /// The profile of that name.
    ///
    /// # Errors
    /// When there is none, or a fragment of it cannot be read.
    pub fn read(root: &Path, name: &str) -> Result<Self> {
        let Row { name, fragments, patience, finds_leaks, append } = PROFILES
            .into_iter()
            .find(|row| row.name == name)
            .with_context(|| format!("there is no profile `{name}`; there are: {}", names().join(", ")))?;
        let mut fragment = String::new();
        for file in fragments {
            let text = read(root, file)?;
            fragment = if fragment.is_empty() { text } else { merge(&fragment, &text) };
        }
        Ok(Self { name: name.to_owned(), fragment, patience, finds_leaks, append })
    }

    /// The same, with what the kernel's own selftests need and nothing else does.
    ///
    /// # Errors
    /// When that fragment cannot be read.
    pub fn with_selftests(self, root: &Path) -> Result<Self> {
        let more = read(root, &format!("{SELFTESTS}.config"))?;
        Ok(Self {
            name: format!("{}-{SELFTESTS}", self.name),
            fragment: merge(&self.fragment, &more),
            ..self
        })
    }

    /// Such a kernel is so slow that races are run with a tenth of the repetitions.
    pub fn is_slow(&self) -> bool {
        self.patience > 1
    }
}

/// The text of the fragment `file`.
fn read(root: &Path, file: &str) -> Result<String> {
    let path = root.join("vm/config").join(file);
    fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_can_be_read_and_the_later_fragment_wins() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
        for name in names() {
            assert!(Profile::read(root, name).unwrap().fragment.contains("CONFIG_BPF_SYSCALL=y"));
        }
        let debug = Profile::read(root, "debug").unwrap();
        assert!(debug.fragment.contains("CONFIG_KASAN=y") && debug.finds_leaks);
        let lean = Profile::read(root, LEAN).unwrap();
        assert!(!lean.fragment.contains("CONFIG_KEYS=y"));
        let selftests = lean.with_selftests(root).unwrap();
        assert!(selftests.fragment.contains("CONFIG_KEYS=y") && selftests.name == "lean-selftests");
        assert!(Profile::read(root, "x").unwrap_err().to_string().contains("lean, debug"));
    }
}
