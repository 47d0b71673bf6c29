// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why a word is nothing that a field takes, and what it takes.

use keep::Order;

use crate::btf::Kind;
use crate::bytes::{Literal, has_leading_zero, short};
use crate::layout::{Layout, Place};

/// A word for a row of characters that somebody can take for something else; as bytes it would be all of them.
pub fn two(given: &Literal, size: usize) -> String {
    let text = given.text.strip_prefix("text:").filter(|text| !text.is_empty()).unwrap_or(&given.text);
    format!(
        "`{}` can be a text and can be something else: write `text:{}` for the text; bytes are written as `hex …`, all {size} of them",
        short(&given.text),
        short(text)
    )
}

/// The reason for people; `why` is what is wrong with it as bytes.
pub fn why(layout: &Layout, place: Place, given: &Literal, why: String) -> String {
    let (text, word) = (short(&given.text), given.text.trim());
    let Ok(ty) = layout.resolve(place.ty) else { return why };
    let type_name = || layout.type_name(place.ty);
    let be = if layout.order(place.ty) == Order::Big { "be" } else { "" };
    let int_type = format!("u{}{be}", place.size * 8);
    let is_other = given.bytes.is_err() && !given.is_begun() && !given.is_address();
    match &ty.kind {
        Kind::Enum { values, .. } if is_other => {
            format!("`{text}` is no enumerator of {}: it has {}", type_name(), layout.enumerators(values))
        }
        Kind::Int { size: 1..=8, .. } | Kind::Pointer if is_other && !word.contains(char::is_whitespace) => {
            let digits = word.trim_start_matches(['-', '+']);
            if digits.len() > 1 && has_leading_zero(digits) && digits.bytes().all(|b| b.is_ascii_digit()) {
                return format!("`{text}`: a zero before a number means octal to many: leave it out");
            }
            format!("`{text}` is no plain number: write it in decimal, or in hex as {int_type}:0x2a")
        }
        Kind::Int { size: 1..=8, .. } | Kind::Enum { .. } | Kind::Pointer
            if word.starts_with("0x")
                && given.hex_number().is_some()
                && given.bytes.as_ref().map_or(true, |bytes| bytes.len() != place.size) =>
        {
            format!("{why}; a number in hex is written {int_type}:{word}")
        }
        Kind::Float(size) if is_other => {
            format!("{} takes a number such as 1.5, or its {size} bytes, as `hex …`", type_name())
        }
        Kind::Array { element, .. } if is_other && layout.is_character(*element) => match given.text.len() {
            len if len > place.size => {
                format!("`{text}` is a text of {len} bytes, and the field has room for {}", place.size)
            }
            _ => format!("{why}; the text is written `text:{text}`"),
        },
        _ => why,
    }
}
