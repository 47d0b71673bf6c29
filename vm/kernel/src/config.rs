// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kernel's configuration: tinyconfig and a fragment, and nothing that Kconfig quietly left out of it.

use std::{collections::BTreeMap, fmt, fs, path::Path};

use anyhow::{Context, Result, ensure};
use ground::{
    cache::{read_if_there, write_whole},
    context::Ctx,
    hash::hash,
};

use crate::{build::Make, store::Store, worktree::WorkTree};

/// A named configuration.
#[derive(Clone, Debug)]
pub struct Profile {
    /// As the report names it.
    pub name: &'static str,
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

/// A profile: its name, its fragments under `vm/config/`, of which a later one wins over those before it, and the rest as
/// in [`Profile`].
struct Row {
    name: &'static str,
    fragments: &'static [&'static str],
    patience: u32,
    finds_leaks: bool,
    append: &'static [&'static str],
}

const PROFILES: [Row; 5] = [
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
            let path = root.join("vm/config").join(file);
            let text =
                fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            fragment = if fragment.is_empty() { text } else { merge(&fragment, &text) };
        }
        Ok(Self { name, fragment, patience, finds_leaks, append })
    }

    /// Such a kernel is so slow that races are run with a tenth of the repetitions.
    pub fn is_slow(&self) -> bool {
        self.patience > 1
    }
}

/// Options of the fragment that the final configuration does not have.
#[derive(Debug, PartialEq, Eq)]
pub struct Missing {
    /// The wanted line, and what the final configuration says of the option.
    pub lines: Vec<(String, String)>,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kconfig did not take {} of the options in the fragment:", self.lines.len())?;
        for (wanted, got) in &self.lines {
            write!(f, " {wanted} (final: {got});")?;
        }
        write!(f, " name what they depend on in vm/config/, or remove them there")
    }
}

impl std::error::Error for Missing {}

/// Writes `.config` in the build folder if it is not there for this source, fragment and compiler; says whether it was.
///
/// # Errors
/// [`Missing`]; make's failures.
pub fn configure(
    ctx: &Ctx,
    store: &Store,
    work: &WorkTree,
    make: &Make<'_>,
    tree: &str,
    profile: &Profile,
) -> Result<bool> {
    let config = work.build().join(".config");
    let memory = work.note("config-key");
    let key = hash(&[
        store.kconfig_id(ctx, tree)?.as_bytes(),
        profile.fragment.as_bytes(),
        make.compiler.as_bytes(),
    ]);
    if config.exists() && read_if_there(&memory)?.as_deref() == Some(&key) {
        check(&fs::read_to_string(&config)?, &profile.fragment)?;
        return Ok(true);
    }
    make.run(ctx, &["tinyconfig"], "tinyconfig", |_| ())?;
    let tiny = fs::read_to_string(&config).context("`make tinyconfig` left no .config")?;
    fs::write(&config, merge(&tiny, &profile.fragment)).context("cannot write .config")?;
    make.run(ctx, &["olddefconfig"], "olddefconfig", |_| ())?;
    let text = fs::read_to_string(&config).context("`make olddefconfig` left no .config")?;
    ensure!(!text.trim().is_empty(), "`make olddefconfig` left an empty .config");
    check(&text, &profile.fragment)?;
    write_whole(&memory, key.as_bytes())?;
    Ok(false)
}

/// The option that a line sets or unsets, and its value (`n` for unset).
fn option(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    if let Some(rest) = line.strip_prefix("# ") {
        return rest
            .strip_suffix(" is not set")
            .filter(|name| name.starts_with("CONFIG_"))
            .map(|name| (name, "n"));
    }
    line.split_once('=').filter(|(name, _)| name.starts_with("CONFIG_"))
}

/// `base` without the options of `fragment`, and then those, as merge_config.sh -m does.
fn merge(base: &str, fragment: &str) -> String {
    let wanted: BTreeMap<&str, &str> = fragment.lines().filter_map(option).collect();
    let mut text = String::new();
    for line in base.lines().filter(|line| !option(line).is_some_and(|(name, _)| wanted.contains_key(name))) {
        text.push_str(line);
        text.push('\n');
    }
    for line in fragment.lines().filter(|line| option(line).is_some()) {
        text.push_str(line);
        text.push('\n');
    }
    text
}

/// Errs unless `config` has every option of `fragment`; unset is the same as absent.
///
/// # Errors
/// Those it has not.
pub fn check(config: &str, fragment: &str) -> Result<(), Missing> {
    let have: BTreeMap<&str, &str> = config.lines().filter_map(option).collect();
    let lines: Vec<(String, String)> = fragment
        .lines()
        .filter_map(option)
        .filter_map(|(name, wanted)| {
            let got = have.get(name).copied();
            (got.unwrap_or("n") != wanted)
                .then(|| (format!("{name}={wanted}"), got.map_or("absent".into(), str::to_owned)))
        })
        .collect();
    if lines.is_empty() { Ok(()) } else { Err(Missing { lines }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAGMENT: &str = "# why\nCONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=\"bpf\"\n";

    #[test]
    fn an_option_that_kconfig_dropped_is_named() {
        let missing = check("CONFIG_A=m\nCONFIG_B=y\nCONFIG_C=\"bpf\"\n", FRAGMENT).unwrap_err();
        assert_eq!(missing.lines, [("CONFIG_A=y".into(), "m".into()), ("CONFIG_B=n".into(), "y".into())]);
        assert!(
            check("CONFIG_B=n\n", FRAGMENT).unwrap_err().to_string().contains("CONFIG_A=y (final: absent)")
        );
    }

    #[test]
    fn unset_and_absent_are_the_same() {
        assert_eq!(check("CONFIG_A=y\nCONFIG_C=\"bpf\"\n", FRAGMENT), Ok(()));
        assert_eq!(check("CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=\"bpf\"\n", FRAGMENT), Ok(()));
    }

    #[test]
    fn every_profile_can_be_read_and_the_later_fragment_wins() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
        for name in names() {
            assert!(Profile::read(root, name).unwrap().fragment.contains("CONFIG_BPF_SYSCALL=y"));
        }
        let debug = Profile::read(root, "debug").unwrap();
        assert!(debug.fragment.contains("CONFIG_KASAN=y") && debug.finds_leaks);
        assert!(Profile::read(root, "x").unwrap_err().to_string().contains("lean, debug"));
    }

    #[test]
    fn the_fragment_wins_over_what_it_is_merged_into() {
        let merged = merge("# CONFIG_A is not set\nCONFIG_AB=y\nCONFIG_B=y\n", FRAGMENT);
        assert_eq!(merged, "CONFIG_AB=y\nCONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=\"bpf\"\n");
    }
}
