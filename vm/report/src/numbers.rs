// SPDX-License-Identifier: MIT OR Apache-2.0
//! Numbers as people read them.

use evidence::races::figure;

/// `12,000,000`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Short enough for a cell: `98k`, `1.2M`.
pub fn short(number: f64) -> String {
    match number {
        number if number >= 999_500.0 => format!("{:.1}M", number / 1e6),
        number if number >= 9_950.0 => format!("{:.0}k", number / 1e3),
        number if number >= 999.5 => format!("{:.1}k", number / 1e3),
        number => figure(number),
    }
}

/// A measured value: whole from a hundred on.
pub fn value(number: f64) -> String {
    if number.abs() >= 99.95 {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "rounded, and at least 100"
        )]
        let whole = number.abs().round() as u64;
        return format!("{}{}", if number < 0.0 { "-" } else { "" }, count(whole));
    }
    figure(number)
}

/// `1.02 ×`, with as many digits as a small ratio needs.
pub fn times(ratio: f64) -> String {
    if ratio < 0.1 { format!("{ratio:.3} ×") } else { format!("{ratio:.2} ×") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([0, 999, 1000, 12_000_000].map(count), ["0", "999", "1,000", "12,000,000"]);
        assert_eq!([0.25, 98_000.0, 1_200_000.0, 1_500.0].map(short), ["0.25", "98k", "1.2M", "1.5k"]);
        assert_eq!([1421.4, 99.0, 0.5].map(value), ["1,421", "99", "0.50"]);
        assert_eq!([1.0, 0.345, 0.012].map(times), ["1.00 ×", "0.34 ×", "0.012 ×"]);
    }
}
