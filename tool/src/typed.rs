// SPDX-License-Identifier: MIT OR Apache-2.0
//! What people type for a field, as bytes by its type: the one place that knows byte orders, enumerators, texts and bits. What
//! could be read in two ways is refused.

mod fields;
mod float;
mod order;
mod refused;

use crate::btf::Kind;
use crate::bytes::{Literal, count, hex, short};
use crate::layout::{Layout, Place};
pub use fields::{By, json, put_asked};
use order::integer;
pub use order::{in_order, without_btf};

/// What a word of the command line, or a string in JSON, is for the field at `place`.
///
/// # Errors
/// A sentence: it is nothing that the field takes, or two things.
pub fn text(layout: &Layout, place: Place, text: &str) -> Result<Vec<u8>, String> {
    literal(layout, place, &Literal::parse(text), false)
}

/// What a word of the command line is for the field at `place`; digits alone are a number there.
///
/// # Errors
/// As of [`text`].
pub fn word(layout: &Layout, place: Place, given: &Literal) -> Result<Vec<u8>, String> {
    literal(layout, place, given, true)
}

fn literal(layout: &Layout, place: Place, given: &Literal, numbers: bool) -> Result<Vec<u8>, String> {
    let kind = &layout.resolve(place.ty)?.kind;
    let is_number = matches!(kind, Kind::Int { .. } | Kind::Enum { .. } | Kind::Pointer);
    if let (true, Some(truth)) = (layout.is_truth(place.ty), truth(given.text.trim_ascii())) {
        return number(layout, place, truth);
    }
    if let (Some(bits), true) = (place.bits, is_number) {
        // bpftool prints bits as a string, in hex.
        let hex = given.hex_number().map(|number| printed_bits(number, bits.count, kind));
        let number = given.number.filter(|_| numbers).or(hex);
        let number = number.or_else(|| enumerator(layout, kind, given.text.trim_ascii()));
        let number = number.ok_or_else(|| {
            let how = if numbers { "decimal, or 0x…" } else { "without quotes, or 0x… in them" };
            format!("`{}` is no number of {}: write it {how}", short(&given.text), count(bits.count, "bit"))
        })?;
        let bytes = self::number(layout, place, number)?;
        let is_whole = place.masks().iter().all(|(_, mask)| *mask == 0xff);
        return match &given.bytes {
            Ok(other) if hex.is_some() && is_whole && other.len() == place.size && *other != bytes => {
                Err(format!(
                    "`{}` can be a number, as bpftool prints bit-fields, and bytes in this order: write it in decimal",
                    short(&given.text)
                ))
            }
            _ => Ok(bytes),
        };
    }
    if let (Some(number), true, true) = (given.number, numbers, is_number) {
        let bytes = self::number(layout, place, number)?;
        let word = given.text.trim_ascii();
        return match characters(layout, place, &Literal::parse(word)) {
            Some(text) if text != bytes => Err(format!(
                "`{word}` can be a number and can be a character: write u8:{word} for the number, text:{word} for the character"
            )),
            _ => Ok(bytes),
        };
    }
    if let Some(number) = enumerator(layout, kind, given.text.trim_ascii()) {
        let bytes = self::number(layout, place, number)?;
        return match &given.bytes {
            Ok(other) if other.len() == place.size && *other != bytes => Err(format!(
                "`{0}` can be bytes and can be an enumerator: write `hex {0}` or 0x… for the bytes, or the number of the enumerator",
                given.text.trim_ascii()
            )),
            _ => Ok(bytes),
        };
    }
    if let (Kind::Float(size), true) = (kind, numbers)
        && let Some(read) = float::read(&given.text, *size)
    {
        return read.ok_or_else(|| {
            let type_name = layout.type_name(place.ty);
            format!("`{}` is no {type_name} to the last digit, and its bits are compared: give its {size} bytes, as `hex …`", given.text)
        });
    }
    let characters = characters(layout, place, given);
    let bytes = bytes(layout, place, given);
    // What is said to be a text may begin like that by itself, as bpftool prints it; what is not may be meant as something else.
    let is_plain = match given.text.strip_prefix(TEXT) {
        // Of a row of bytes it prints numbers.
        Some(_) if matches!(kind, Kind::Array { element, .. } if !layout.is_character(*element)) => true,
        Some(said) => numbers || needs_saying(said) && given.text.len() > place.size,
        None => !(needs_saying(&given.text) || numbers && is_more_than_a_word(&given.text)),
    };
    match (bytes, characters) {
        (Ok(bytes), None) => Ok(bytes),
        (Ok(bytes), Some(text)) if bytes == text => Ok(bytes),
        (Err(_), Some(text)) if is_plain => Ok(text),
        (_, Some(_)) => Err(refused::two(given, place.size)),
        (Err(why), None) => Err(match (numbers || given.number.is_none(), is_number) {
            (false, true) => format!("{why}; a number is written without quotes"),
            _ => refused::why(layout, place, given, why),
        }),
    }
}

/// A truth value in words, as bpftool prints it.
fn truth(text: &str) -> Option<i128> {
    match text {
        "true" => Some(1),
        "false" => Some(0),
        _ => None,
    }
}

/// The number of bits as bpftool prints them, without regard to a sign.
fn printed_bits(number: i128, count: usize, kind: &Kind) -> i128 {
    let top = count.clamp(1, 64) - 1;
    match kind {
        Kind::Int { signed: true, .. } | Kind::Enum { signed: true, .. } if number >> top == 1 => {
            number - (2 << top)
        }
        _ => number,
    }
}

/// What says that the rest is a text.
const TEXT: &str = "text:";

/// A text that could be meant as something else: bytes, or with the quotes or the operator of another language.
fn needs_saying(text: &str) -> bool {
    let literal = Literal::parse(text);
    let word = text.trim();
    literal.bytes.is_ok() && !literal.is_one_word()
        || literal.is_begun()
        || word.starts_with(['"', '\'', '=', '!', '~', '<', '>'])
        || word.ends_with(['"', '\''])
        || word.starts_with(TEXT)
}

/// Without the blanks around it: a number, also one that is not plain, a file, standard input.
fn is_more_than_a_word(text: &str) -> bool {
    let word = text.trim();
    let digits = word.trim_start_matches(['+', '-']);
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    is_number || word == "-" || word.starts_with('@')
}

fn enumerator(layout: &Layout, kind: &Kind, name: &str) -> Option<i128> {
    match kind {
        Kind::Enum { values, .. } => layout.enumerator_value(values, name),
        _ => None,
    }
}

/// As characters, where the field is a row of them: what is left of it is zero.
fn characters(layout: &Layout, place: Place, given: &Literal) -> Option<Vec<u8>> {
    if given.is_hex() {
        return None;
    }
    let said = given.text.strip_prefix(TEXT);
    let text = said.unwrap_or(&given.text).as_bytes();
    let fits = match layout.resolve(place.ty).map(|ty| &ty.kind) {
        // A row of bytes may be anything: that it is a text has to be said.
        Ok(Kind::Array { element, .. }) => {
            let is_byte =
                layout.resolve(*element).is_ok_and(|ty| matches!(ty.kind, Kind::Int { size: 1, .. }));
            is_byte && (said.is_some() || layout.is_character(*element)) && text.len() <= place.size
        }
        _ => layout.is_character(place.ty) && text.len() == 1 && place.bits.is_none(),
    };
    fits.then(|| {
        let mut bytes = text.to_vec();
        bytes.resize(place.size, 0);
        bytes
    })
}

/// Whether a word that the field takes is taken for a text, and nothing says that it is one.
#[must_use]
pub fn is_bare_text(layout: &Layout, place: Place, given: &Literal) -> bool {
    !given.text.starts_with(TEXT) && characters(layout, place, given).is_some()
}

/// As bytes, as many as the field has, and in the order that it has where they are said to be in one.
fn bytes(layout: &Layout, place: Place, given: &Literal) -> Result<Vec<u8>, String> {
    let bytes = given.bytes.clone()?;
    if bytes.len() != place.size {
        return Err(format!(
            "{} given ({}), the field has {}",
            count(bytes.len(), "byte"),
            hex(bytes.get(..16).unwrap_or(&bytes)),
            place.size
        ));
    }
    given.one_reading()?;
    let printed = match layout.resolve(place.ty)?.kind {
        Kind::Int { size: 16, .. } => Some("integers of 128 bits"),
        Kind::Pointer => Some("pointers"),
        _ => None,
    };
    let word = given.text.trim();
    let is_one = word.starts_with("0x") && !word.contains(char::is_whitespace);
    if let (Some(printed), true) = (printed, is_one) {
        return Err(format!(
            "`{}` can be a number, as bpftool prints {printed}, and bytes in this order: write each byte as 0x…",
            short(&given.text)
        ));
    }
    in_order(layout, place.offset, given)?;
    Ok(bytes)
}

/// A number as the field at `place` takes it; of a bit-field, its bits where they lie in its bytes.
///
/// # Errors
/// Where it takes none, or not that one.
pub fn number(layout: &Layout, place: Place, number: i128) -> Result<Vec<u8>, String> {
    let signed = match layout.resolve(place.ty)?.kind {
        Kind::Int { signed, .. } | Kind::Enum { signed, .. } => signed,
        Kind::Pointer => false,
        _ => return Err(format!("{} takes no number", layout.type_name(place.ty))),
    };
    if layout.is_truth(place.ty) && !(0..=1).contains(&number) {
        let type_name = layout.type_name(place.ty);
        return Err(format!("{type_name} takes 0 and 1, false and true, and not {number}"));
    }
    let does_not_fit = |room: String| {
        let type_name = layout.type_name(place.ty);
        format!("{number} does not fit {type_name} ({room})")
    };
    let Some(bits) = place.bits else {
        if place.size > 8 {
            let (type_name, size) = (layout.type_name(place.ty), place.size);
            return Err(format!("{type_name} takes no number here, only its {size} bytes"));
        }
        return integer(layout, place, number, signed).ok_or_else(|| does_not_fit(count(place.size, "byte")));
    };
    if layout.order(place.ty).is_swapped() {
        return Err(format!(
            "a bit-field of {} has no order that this knows: use --offset with bytes",
            layout.type_name(place.ty)
        ));
    }
    let bit_count = u32::try_from(bits.count).unwrap_or(u32::MAX).min(64);
    let range =
        if signed { -(1_i128 << bit_count >> 1)..1_i128 << bit_count >> 1 } else { 0..1_i128 << bit_count };
    if !range.contains(&number) {
        return Err(does_not_fit(count(bits.count, "bit")));
    }
    let mut bytes = vec![0; place.size];
    for (at, bit, _) in bits.each().filter(|(.., weight)| number >> weight.min(&126) & 1 == 1) {
        if let Some(byte) = at.checked_sub(place.offset).and_then(|at| bytes.get_mut(at)) {
            *byte |= bit;
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
