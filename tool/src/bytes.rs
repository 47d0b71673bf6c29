// SPDX-License-Identifier: MIT OR Apache-2.0
//! What `--key` and `--expect` take, before the map is known.

mod address;
mod number;
mod words;

use std::path::PathBuf;

use crate::json::Json;
pub use number::{count, decode, encode, has_leading_zero, hex, parse_count, parse_number, short};
pub use words::parse_bytes;
use words::{HEX, TYPES, list};

/// A key or expected bytes as the user gave them.
#[derive(Clone, Debug, PartialEq)]
pub enum Given {
    /// `-`: the bytes of standard input.
    Stdin,
    /// `@FILE`: the bytes of a file.
    File(PathBuf),
    /// `{…}` or `[…]`: needs the map's BTF, unless it is bytes as bpftool prints them.
    Json(Json),
    /// Bytes, typed integers, or what a field takes: a number, an enumerator, a text.
    Literal(Literal),
}

/// Text that is bytes, a plain number, a word, or several of them: `80` is the byte 0x80, and with `--field` the number 80.
#[derive(Clone, Debug, PartialEq)]
pub struct Literal {
    /// As it was given.
    pub text: String,
    /// As bytes, or why it is none.
    pub bytes: Result<Vec<u8>, String>,
    /// As a plain decimal number.
    pub number: Option<i128>,
}

impl Given {
    /// Reads one argument.
    ///
    /// # Errors
    /// A sentence that names the part at fault.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "-" {
            return Ok(Self::Stdin);
        }
        if let Some(path) = text.strip_prefix('@') {
            return if path.is_empty() {
                Err("`@` wants a file name".into())
            } else {
                Ok(Self::File(path.into()))
            };
        }
        if list(text).is_none() && text.trim_start().starts_with(['{', '[', '"']) {
            return Json::parse(text).map(Self::Json).map_err(|why| format!("{why}: `{}`", short(text)));
        }
        if let Some(entry) = Json::of_dump(text) {
            return Ok(Self::Json(entry));
        }
        match Literal::parse(text) {
            Literal { text, bytes: Err(why), .. } if text.trim().is_empty() => Err(why),
            literal => Ok(Self::Literal(literal)),
        }
    }
}

impl Literal {
    /// Reads it in every way. A text may begin and end with blanks.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let text = list(text).unwrap_or_else(|| text.into());
        Self { bytes: parse_bytes(&text), number: parse_number(text.trim_ascii()), text }
    }

    /// Whether it is said to be bytes in hex.
    #[must_use]
    pub fn is_hex(&self) -> bool {
        self.text.split_whitespace().next() == Some(HEX)
    }

    /// Whether it looks like an address.
    #[must_use]
    pub fn is_address(&self) -> bool {
        address::why(self.text.trim()).is_some()
    }

    /// `0x…` as a number.
    #[must_use]
    pub fn hex_number(&self) -> Option<i128> {
        let digits =
            self.text.trim_ascii().strip_prefix("0x").filter(|digits| (1..=16).contains(&digits.len()))?;
        let all = digits.bytes().all(|b| b.is_ascii_hexdigit());
        all.then(|| u64::from_str_radix(digits, 16).ok()).flatten().map(i128::from)
    }

    /// Whether it is one word, without a type or `0x` that would say what it is.
    #[must_use]
    pub fn is_one_word(&self) -> bool {
        !self.text.starts_with("0x") && !self.text.contains(|c: char| c == ':' || c.is_whitespace())
    }

    /// Whether a word of it begins as bytes do, with `0x` or a type, whatever comes of it: `u8:256`, `0xabc`.
    #[must_use]
    pub fn is_begun(&self) -> bool {
        self.text.split_whitespace().any(|word| {
            let kind = word.split_once(':').map(|(kind, _)| kind);
            word.starts_with("0x") || kind.is_some_and(|kind| TYPES.iter().any(|(name, ..)| *name == kind))
        })
    }

    /// The integers in it that are in the order of this machine: where they begin in the bytes, and how many they are.
    #[must_use]
    pub fn native_integers(&self) -> Vec<(usize, usize, &str)> {
        let native = |kind: &str| TYPES.iter().any(|(name, size, big)| *name == kind && *size > 1 && !big);
        let words = self.words().into_iter();
        words.filter(|(.., word)| word.split_once(':').is_some_and(|(kind, _)| native(kind))).collect()
    }

    /// The words `0x…` in it of which nothing says that they are bytes and no numbers: where they begin in the bytes, and how many
    /// they are.
    #[must_use]
    pub fn hex_strings(&self) -> Vec<(usize, usize, &str)> {
        let words = self.words().into_iter().filter(|_| !self.is_hex());
        words.filter(|(.., word)| word.starts_with("0x")).collect()
    }

    /// Each word: where it begins in the bytes, and how many it is.
    fn words(&self) -> Vec<(usize, usize, &str)> {
        let words = self.text.split_whitespace().filter(|word| *word != HEX);
        let size = |word: &str| match word.split_once(':') {
            Some((kind, _)) => TYPES.iter().find(|(name, ..)| *name == kind).map_or(0, |(_, size, _)| *size),
            None => word.strip_prefix("0x").unwrap_or(word).len() / 2,
        };
        let place = |at: &mut usize, word| {
            let start = *at;
            *at += size(word);
            Some((start, *at - start, word))
        };
        words.scan(0, place).collect()
    }

    /// Whether its bytes can be read in one way alone: `10 20` is what bpftool prints of 16 and 32, and what it takes for 10
    /// and 20.
    ///
    /// # Errors
    /// A sentence that says how to say which.
    pub fn one_reading(&self) -> Result<(), String> {
        let plain = |word: &&str| word.len() == 2 && word.bytes().all(|b| b.is_ascii_hexdigit());
        let mut plain = self.text.split_whitespace().filter(plain);
        // bpftool takes 00 to 07 for the same in both ways, and 08 and 09 for no number at all.
        let proves_hex =
            |word: &str| word.bytes().any(|b| b.is_ascii_alphabetic()) || ["08", "09"].contains(&word);
        if self.is_hex() || plain.clone().all(|word| word.starts_with('0')) || plain.any(proves_hex) {
            return Ok(());
        }
        Err(format!(
            "`{0}` can be hex, as bpftool prints bytes, and decimal, as it takes them: write `hex {0}`, or each byte as 0x… \
             or u8:…",
            short(&self.text)
        ))
    }
}

#[cfg(test)]
mod tests;
