// SPDX-License-Identifier: MIT OR Apache-2.0
//! Words that are bytes: two hex digits, `0x…`, integers with their type.

use super::address;
use super::number::{count, encode, has_leading_zero, short};

/// What has bpftool, and this, read the words behind it as hex bytes.
pub const HEX: &str = "hex";

/// Bytes from a list of two-digit hex bytes, `0x…` strings and typed integers, joined in the order written; `hex` before them
/// says that they are hex.
///
/// # Errors
/// A sentence that names the part at fault.
pub fn parse_bytes(text: &str) -> Result<Vec<u8>, String> {
    if let Some(why) = address::why(text.trim()) {
        return Err(why);
    }
    let mut bytes = Vec::new();
    let mut words = text.split_whitespace().peekable();
    let hex = words.next_if_eq(&HEX).is_some();
    for word in words {
        if hex && word.contains(':') {
            return Err(format!("`{}` is no byte in hex", short(word)));
        }
        parse_word(word, hex, &mut bytes)?;
    }
    match bytes.is_empty() {
        true if hex => {
            Err("`hex` says that bytes follow, and there are none: write them behind it, `hex 0a 00`".into())
        }
        true => Err("no bytes given".into()),
        false => Ok(bytes),
    }
}

/// Bytes as a C compiler reads a list of them, `{0x0a, 0x00}` or `0xa 0x0`, in words of two digits; `None` of anything else.
pub fn list(text: &str) -> Option<String> {
    let text = text.trim();
    let inner = text.strip_prefix('{').map_or(Some(text), |text| text.strip_suffix('}'))?;
    let items: Vec<&str> = match inner.contains(',') {
        true => inner.split(',').map(str::trim).collect(),
        false => inner.split_whitespace().collect(),
    };
    let byte = |item: &&str| {
        let digits = item.strip_prefix("0x")?;
        let is_byte = (1..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit());
        is_byte.then(|| format!("0x{digits:0>2}"))
    };
    let bytes: Option<Vec<String>> = items.iter().map(byte).collect();
    bytes.filter(|bytes| bytes.len() > 1).map(|bytes| bytes.join(" "))
}

fn parse_word(word: &str, hex: bool, out: &mut Vec<u8>) -> Result<(), String> {
    if let Some((kind, number)) = word.split_once(':') {
        return parse_typed(kind, number, out).map_err(|why| format!("`{}`: {why}", short(word)));
    }
    let digits = match word.strip_prefix("0x") {
        Some(digits) if !digits.is_empty() => digits,
        Some(_) => return Err("`0x`: hex digits must follow".into()),
        None if word.len() == 2 || hex => word,
        None => {
            let is_number = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
            let number = if is_number { word.trim_start_matches('0') } else { "42" };
            let bits =
                if number.parse().is_ok_and(|number: u128| number > u32::MAX.into()) { 64 } else { 32 };
            return Err(format!(
                "`{}` is no byte of two hex digits; a number needs its type, as u{bits}:{}, and before a string of hex bytes \
                 stands `hex`",
                short(word),
                if number.is_empty() { "0" } else { number }
            ));
        }
    };
    if let Some(bad) = digits.chars().find(|c| !c.is_ascii_hexdigit()) {
        return Err(format!("`{}`: `{bad}` is no hex digit", short(word)));
    }
    if !digits.len().is_multiple_of(2) {
        let digits = count(digits.len(), "hex digit");
        return Err(format!("`{}`: no whole bytes in {digits}", short(word)));
    }
    for pair in digits.as_bytes().chunks_exact(2) {
        let nibble =
            |c: u8| char::from(c).to_digit(16).and_then(|d| u8::try_from(d).ok()).unwrap_or_default();
        out.push(nibble(pair[0]) << 4 | nibble(pair[1]));
    }
    Ok(())
}

/// The types of integers: name, bytes, network order.
pub const TYPES: [(&str, usize, bool); 7] = [
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
        return Err(format!("`{}` is no type; there are {}", short(kind), names.join(", ")));
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
