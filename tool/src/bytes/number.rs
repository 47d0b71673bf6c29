// SPDX-License-Identifier: MIT OR Apache-2.0
//! Numbers in decimal, and integers as bytes.

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

/// `1 byte`, `2 bytes`.
#[must_use]
pub fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// What was given, for a sentence: on one line, and no longer than that leaves room for.
#[must_use]
pub fn short(text: &str) -> String {
    const MOST: usize = 60;
    if text.chars().count() <= MOST && !text.contains(|c: char| c.is_control()) {
        return text.into();
    }
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
