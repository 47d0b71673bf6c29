// SPDX-License-Identifier: MIT OR Apache-2.0
//! Numbers with a point, of which the bits are compared: what a float holds to the last digit, and nothing that it rounds.

use crate::bytes::has_leading_zero;

/// The bytes of a number such as `1.5`, of so many, unless it would be rounded; `None` where it is no such number.
pub fn read(text: &str, size: u32) -> Option<Option<Vec<u8>>> {
    let (whole, fraction) = text.strip_prefix('-').unwrap_or(text).split_once('.')?;
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) || has_leading_zero(whole) {
        return None;
    }
    let (bytes, held) = match size {
        4 => text
            .parse::<f32>()
            .map(|number| (number.to_ne_bytes().to_vec(), all_digits(number.into())))
            .ok()?,
        8 => text.parse::<f64>().map(|number| (number.to_ne_bytes().to_vec(), all_digits(number))).ok()?,
        _ => return None,
    };
    let is_held = held.trim_end_matches('0') == text.trim_end_matches('0');
    Some(is_held.then_some(bytes))
}

/// A double in decimal, whole: its last digit is at most the 1074th behind the point.
fn all_digits(number: f64) -> String {
    format!("{number:.1074}")
}
