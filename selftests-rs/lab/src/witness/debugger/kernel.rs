// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names and addresses of the kernel's functions.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context as _, Result};
use results::races::hold::Symbol;

/// The functions of the running kernel, by address.
pub struct Kernel {
    text: BTreeMap<u64, String>,
}

impl Kernel {
    /// Of the running kernel, by `/proc/kallsyms`.
    pub fn read() -> Result<Self> {
        let text = fs::read_to_string("/proc/kallsyms").context("cannot read /proc/kallsyms")?;
        Ok(Self::parse(&text))
    }

    /// Lines of an address, a type, a name and perhaps a module. Of symbols at one address the last is kept.
    fn parse(text: &str) -> Self {
        let symbol = |line: &str| {
            let mut words = line.split_ascii_whitespace();
            let address = u64::from_str_radix(words.next()?, 16).ok()?;
            let is_text = words.next()?.eq_ignore_ascii_case("t");
            (is_text && address != 0).then_some((address, words.next()?.to_owned()))
        };
        Self { text: text.lines().filter_map(symbol).collect() }
    }

    /// By its name, or as the compiler may have renamed it: `name.constprop.0`.
    pub fn symbol(&self, name: &str) -> Result<Symbol> {
        let is_clone = |symbol: &str| symbol.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        let named = self.text.iter().find(|(_, symbol)| *symbol == name);
        let (start, found) =
            named.or_else(|| self.text.iter().find(|(_, symbol)| is_clone(symbol))).with_context(|| {
                format!("this kernel has no function {name} (or hides it from /proc/kallsyms)")
            })?;
        let end = self.text.range(start + 1..).next().map_or(start + 1, |(end, _)| *end);
        Ok(Symbol { name: found.clone(), start: *start, end })
    }

    /// By its name, or by another that an older kernel has for it.
    pub fn symbol_or(&self, name: &str, older: &str) -> Result<Symbol> {
        self.symbol(name).or_else(|error| self.symbol(older).map_err(|_| error))
    }

    /// An address as the kernel writes it: `name+0x12`.
    pub fn name(&self, address: u64) -> String {
        match self.text.range(..=address).next_back() {
            Some((start, name)) => format!("{name}+{:#x}", address - start),
            None => format!("{address:#x}"),
        }
    }

    /// `sentence` with names for the kernel's addresses in it.
    pub fn with_names(&self, sentence: &str) -> String {
        let parts = sentence.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
        let named = parts.map(|part| {
            let word = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
            match word.strip_prefix("0xffff").and_then(|_| u64::from_str_radix(&word[2..], 16).ok()) {
                Some(address) => format!("{}{}", self.name(address), &part[word.len()..]),
                None => part.to_owned(),
            }
        });
        named.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KALLSYMS: &str = "0000000000000000 A fixed_percpu_data\n\
                            ffffffff81000000 T _text\n\
                            ffffffff811d1da0 t htab_map_delete_elem_cmp\n\
                            ffffffff811d2240 t htab_map_update_elem.constprop.0\n\
                            ffffffff8166a180 T memcmp\n\
                            ffffffff82000000 D data\n";

    #[test]
    fn a_function_ends_where_the_next_begins() {
        let kernel = Kernel::parse(KALLSYMS);
        let symbol = kernel.symbol("htab_map_delete_elem_cmp").unwrap();
        assert_eq!((symbol.start, symbol.end), (0xffff_ffff_811d_1da0, 0xffff_ffff_811d_2240));
        assert!(symbol.contains(0xffff_ffff_811d_1f9f) && !symbol.contains(symbol.end));
    }

    #[test]
    fn a_renamed_function_is_found_and_data_is_none() {
        let kernel = Kernel::parse(KALLSYMS);
        assert_eq!(kernel.symbol("htab_map_update_elem").unwrap().start, 0xffff_ffff_811d_2240);
        assert!(kernel.symbol("htab_map").is_err());
        assert_eq!(kernel.symbol_or("htab_map_none", "memcmp").unwrap().start, 0xffff_ffff_8166_a180);
        assert!(kernel.symbol_or("htab_map_none", "htab_map").is_err());
        assert!(kernel.symbol("data").is_err());
    }

    #[test]
    fn addresses_get_their_names() {
        let kernel = Kernel::parse(KALLSYMS);
        assert_eq!(kernel.name(0xffff_ffff_811d_1da4), "htab_map_delete_elem_cmp+0x4");
        let sentence = kernel.with_names("at 0xffffffff8166a181, not 0x10.");
        assert_eq!(sentence, "at memcmp+0x1, not 0x10.");
    }
}
