// SPDX-License-Identifier: MIT OR Apache-2.0
//! What `--key` and `--expect` take, before the map is known.

use std::net::IpAddr;
use std::path::PathBuf;

use crate::json::Json;

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
        if text.trim_start().starts_with(['{', '[', '"']) {
            return Json::parse(text).map(Self::Json);
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

/// What has bpftool, and this, read the words behind it as hex bytes.
const HEX: &str = "hex";

impl Literal {
    /// Reads it in every way. A text may begin and end with blanks.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self { text: text.into(), bytes: parse_bytes(text), number: parse_number(text) }
    }

    /// Whether it is said to be bytes in hex.
    #[must_use]
    pub fn is_hex(&self) -> bool {
        self.text.split_whitespace().next() == Some(HEX)
    }

    /// `0x…` as a number.
    #[must_use]
    pub fn hex_number(&self) -> Option<i128> {
        let digits = self.text.strip_prefix("0x").filter(|digits| (1..=16).contains(&digits.len()))?;
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
    pub fn native_integers(&self) -> Vec<(usize, usize)> {
        let native = |kind: &str| TYPES.iter().any(|(name, size, big)| *name == kind && *size > 1 && !big);
        let words = self.words().into_iter();
        let words = words.filter(|(.., word)| word.split_once(':').is_some_and(|(kind, _)| native(kind)));
        words.map(|(at, size, _)| (at, size)).collect()
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
        let mut plain = self
            .text
            .split_whitespace()
            .filter(|word| word.len() == 2 && word.bytes().all(|b| b.is_ascii_hexdigit()));
        // Nobody writes a decimal number with a zero before it, and bpftool prints each byte in two digits.
        let says_hex = |word: &str| word.starts_with('0') || word.bytes().any(|b| b.is_ascii_alphabetic());
        if self.is_hex() || plain.clone().next().is_none() || plain.any(says_hex) {
            return Ok(());
        }
        Err(format!(
            "`{0}` can be hex, as bpftool prints bytes, and decimal, as it takes them: write `hex {0}`, or each byte as 0x… \
             or u8:…",
            self.text
        ))
    }
}

/// Bytes from a list of two-digit hex bytes, `0x…` strings and typed integers, joined in the order written; `hex` before them
/// says that they are hex.
///
/// # Errors
/// A sentence that names the part at fault.
pub fn parse_bytes(text: &str) -> Result<Vec<u8>, String> {
    if let Some(address) = address(text.trim()) {
        let hex: String = address.iter().map(|byte| format!("{byte:02x}")).collect();
        return Err(format!("`{}` is an address: write its bytes, 0x{hex}", text.trim()));
    }
    let mut bytes = Vec::new();
    let mut words = text.split_whitespace().peekable();
    let hex = words.next_if_eq(&HEX).is_some();
    for word in words {
        if hex && word.contains(':') {
            return Err(format!("`{word}` is no byte in hex"));
        }
        parse_word(word, &mut bytes)?;
    }
    if bytes.is_empty() { Err("no bytes given".into()) } else { Ok(bytes) }
}

/// The bytes of what looks like the address of a host or of a network card.
fn address(text: &str) -> Option<Vec<u8>> {
    match text.parse() {
        Ok(IpAddr::V4(address)) => return Some(address.octets().into()),
        Ok(IpAddr::V6(address)) => return Some(address.octets().into()),
        Err(_) => {}
    }
    let byte = |part: &str| u8::from_str_radix(part, 16).ok().filter(|_| part.len() == 2);
    let bytes: Option<Vec<u8>> = text.split([':', '-']).map(byte).collect();
    bytes.filter(|bytes| bytes.len() == 6)
}

fn parse_word(word: &str, out: &mut Vec<u8>) -> Result<(), String> {
    if let Some((kind, number)) = word.split_once(':') {
        return parse_typed(kind, number, out).map_err(|why| format!("`{word}`: {why}"));
    }
    let digits = match word.strip_prefix("0x") {
        Some(digits) if !digits.is_empty() => digits,
        Some(_) => return Err("`0x`: hex digits must follow".into()),
        None if word.len() == 2 => word,
        None => {
            let is_number = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
            let number = if is_number { word.trim_start_matches('0') } else { "42" };
            return Err(format!(
                "`{word}` is no byte of two hex digits; a number needs its type, as u32:{}, and a string of hex bytes \
                 begins with 0x",
                if number.is_empty() { "0" } else { number }
            ));
        }
    };
    if let Some(bad) = digits.chars().find(|c| !c.is_ascii_hexdigit()) {
        return Err(format!("`{word}`: `{bad}` is no hex digit"));
    }
    if !digits.len().is_multiple_of(2) {
        return Err(format!("`{word}`: {} hex digits make no whole bytes", digits.len()));
    }
    for pair in digits.as_bytes().chunks_exact(2) {
        let nibble =
            |c: u8| char::from(c).to_digit(16).and_then(|d| u8::try_from(d).ok()).unwrap_or_default();
        out.push(nibble(pair[0]) << 4 | nibble(pair[1]));
    }
    Ok(())
}

/// The types of integers: name, bytes, network order.
const TYPES: [(&str, usize, bool); 7] = [
    ("u8", 1, false),
    ("u16", 2, false),
    ("u32", 4, false),
    ("u64", 8, false),
    ("u16be", 2, true),
    ("u32be", 4, true),
    ("u64be", 8, true),
];

fn parse_typed(kind: &str, number: &str, out: &mut Vec<u8>) -> Result<(), String> {
    let Some(&(_, size, network)) = TYPES.iter().find(|(name, ..)| *name == kind) else {
        if ["key", "value"].contains(&kind) && number.is_empty() {
            return Err("as bpftool prints an entry: paste one entry, whole, or its bytes alone".into());
        }
        let names: Vec<_> = TYPES.iter().map(|(name, ..)| *name).collect();
        return Err(format!("`{kind}` is no type; there are {}", names.join(", ")));
    };
    let (digits, radix) = number.strip_prefix("0x").map_or((number, 10), |hex| (hex, 16));
    // `from_str_radix` would take a sign.
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return Err("an unsigned number must follow, decimal or 0x…".into());
    }
    if radix == 10 && has_leading_zero(digits) {
        return Err("a zero before a number means octal to many: leave it out, or write 0x…".into());
    }
    let value = u128::from_str_radix(digits, radix).unwrap_or(u128::MAX);
    let bytes = encode(i128::try_from(value).unwrap_or(i128::MAX), size, false)
        .ok_or_else(|| format!("does not fit {} bits", size * 8))?;
    if network {
        out.extend(to_network_order(bytes));
    } else {
        out.extend(bytes);
    }
    Ok(())
}

/// Bytes in native order to bytes in network order.
fn to_network_order(mut bytes: Vec<u8>) -> Vec<u8> {
    if cfg!(target_endian = "little") {
        bytes.reverse();
    }
    bytes
}

/// A plain decimal number.
#[must_use]
pub fn parse_number(text: &str) -> Option<i128> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) && !has_leading_zero(digits);
    plain.then(|| text.parse().ok()).flatten()
}

/// Whether digits mean octal to many.
#[must_use]
pub fn has_leading_zero(digits: &str) -> bool {
    digits.len() > 1 && digits.starts_with('0')
}

/// A plain decimal number of an option: no sign, and no zero before it.
///
/// # Errors
/// A sentence that says so.
pub fn parse_count<T: TryFrom<i128>>(text: &str) -> Result<T, String> {
    let number = parse_number(text).filter(|_| !text.starts_with('-'));
    number.and_then(|number| T::try_from(number).ok()).ok_or_else(|| {
        format!("`{text}` is no plain number that fits: write decimal digits, without a sign and a zero before them")
    })
}

/// A number as an integer of `size` bytes (1 to 8) in native order; `None` where it does not fit.
#[must_use]
pub fn encode(number: i128, size: usize, signed: bool) -> Option<Vec<u8>> {
    if !(1..=8).contains(&size) {
        return None;
    }
    let bits = size * 8;
    let range = if signed { -(1 << (bits - 1))..1 << (bits - 1) } else { 0..1_i128 << bits };
    if !range.contains(&number) {
        return None;
    }
    let bytes = number.to_ne_bytes();
    Some(if cfg!(target_endian = "little") { bytes[..size].to_vec() } else { bytes[16 - size..].to_vec() })
}

/// The inverse of [`encode`]; `None` for any other length.
#[must_use]
pub fn decode(bytes: &[u8], signed: bool) -> Option<i128> {
    if !(1..=8).contains(&bytes.len()) {
        return None;
    }
    let most_significant = if cfg!(target_endian = "little") { bytes[bytes.len() - 1] } else { bytes[0] };
    let fill = if signed && most_significant >= 0x80 { 0xff } else { 0 };
    let mut whole = [fill; 16];
    if cfg!(target_endian = "little") {
        whole[..bytes.len()].copy_from_slice(bytes);
    } else {
        whole[16 - bytes.len()..].copy_from_slice(bytes);
    }
    Some(i128::from_ne_bytes(whole))
}

/// Bytes as bpftool prints them: `0a 00 00 01`.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
