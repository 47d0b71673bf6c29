// SPDX-License-Identifier: MIT OR Apache-2.0
//! Lines of a configuration: one text merged into another, and held against another.

use std::{collections::BTreeMap, fmt};

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
pub fn merge(base: &str, fragment: &str) -> String {
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
    fn the_fragment_wins_over_what_it_is_merged_into() {
        let merged = merge("# CONFIG_A is not set\nCONFIG_AB=y\nCONFIG_B=y\n", FRAGMENT);
        assert_eq!(merged, "CONFIG_AB=y\nCONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=\"bpf\"\n");
    }
}
