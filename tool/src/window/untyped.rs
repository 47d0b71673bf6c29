// SPDX-License-Identifier: MIT OR Apache-2.0
//! Plain numbers where nothing says of which type they are.

use crate::bytes::{Literal, encode, parse_number, short};

/// With which type they can be written, of a key or value of so many bytes; `None` where they are no numbers, or none fits.
pub fn with_type(literal: &Literal, size: usize) -> Option<String> {
    let words = literal.text.split_whitespace();
    let numbers: Option<Vec<i128>> =
        words.map(|word| parse_number(word).filter(|number| *number >= 0)).collect();
    let (numbers, text) = (numbers?, short(literal.text.trim()));
    let is_byte = |number: &i128| *number < 256;
    match *numbers.as_slice() {
        [number] if [1, 2, 4, 8].contains(&size) => {
            let bits = size * 8;
            Some(match (encode(number, size, false), size) {
                (None, _) => format!("{number} does not fit {bits} bits"),
                (_, 1) => format!("`{text}` is a number without a type: write u8:{number}"),
                _ => format!(
                    "`{text}` is a number without a type: write u{bits}:{number}, or u{bits}be:{number} in network order"
                ),
            })
        }
        [_, _, ..] if numbers.len() == size && numbers.iter().all(is_byte) => {
            let each: Vec<String> = numbers.iter().take(16).map(|number| format!("u8:{number}")).collect();
            let more = if size > 16 { " …" } else { "" };
            Some(format!(
                "`{text}` are numbers without a type: write `{}{more}` if each is a byte",
                each.join(" ")
            ))
        }
        _ => None,
    }
}
