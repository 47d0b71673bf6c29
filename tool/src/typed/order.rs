// SPDX-License-Identifier: MIT OR Apache-2.0
//! The order of bytes: whether words lie in that of their fields, and whether `0x…` can be a number.

use crate::btf::Kind;
use crate::bytes::{Literal, encode, short};
use crate::layout::{Layout, Place};

/// Whether the words of what is given are in the order of the fields that they are put to: integers in this machine's lie where no
/// field is in another, and `0x…` is no integer that people would take for a number.
///
/// # Errors
/// One lies in a field of the other order, or has two readings.
pub fn in_order(layout: &Layout, offset: usize, given: &Literal) -> Result<(), String> {
    for (at, size, word) in given.hex_strings() {
        let range = offset + at..offset + at + size;
        let leaves = layout.leaves(&range).into_iter().filter(|leaf| leaf.place.range() == range);
        let digits = word.trim_start_matches("0x");
        let wide = u128::from_str_radix(digits, 16).ok().filter(|_| digits.len() <= 32);
        let numbers = leaves.filter_map(|leaf| match layout.resolve(leaf.place.ty).ok()?.kind {
            Kind::Int { size: 16, .. } => Some(wide?.to_ne_bytes().to_vec()),
            _ => integer(layout, leaf.place, i128::try_from(wide?).ok()?, false),
        });
        let bytes = Literal::parse(word).bytes?;
        if numbers.into_iter().any(|number| number != bytes) {
            return Err(two_orders(given, word, size));
        }
    }
    for (at, size, word) in given.native_integers() {
        let range = offset + at..offset + at + size;
        let swapped = layout.leaves(&range).into_iter().find(|leaf| {
            let element = match layout.resolve(leaf.place.ty).map(|ty| &ty.kind) {
                Ok(Kind::Array { element, .. }) => *element,
                _ => leaf.place.ty,
            };
            layout.order(element).is_swapped()
        });
        let Some(leaf) = swapped else { continue };
        let name = if cfg!(target_endian = "little") {
            "network order: u16be, u32be"
        } else {
            "little-endian order"
        };
        return Err(format!(
            "`{}` is in this machine's order, and the field ({}) in {name}; or write the number alone",
            short(word),
            leaf.type_name
        ));
    }
    Ok(())
}

/// The same where no BTF says which fields there are: any `0x…` that is as long as an integer may be one.
///
/// # Errors
/// One has two readings.
pub fn without_btf(given: &Literal) -> Result<(), String> {
    for (_, size, word) in given.hex_strings() {
        let read = Literal::parse(word);
        let number = read.hex_number().filter(|_| [2, 4, 8].contains(&size));
        let number = number.and_then(|number| encode(number, size, false));
        if number.is_some_and(|number| read.bytes != Ok(number)) {
            return Err(two_orders(given, word, size));
        }
    }
    Ok(())
}

fn two_orders(given: &Literal, word: &str, size: usize) -> String {
    let word = &short(word);
    let bytes = match given.text.split_whitespace().count() {
        1 => format!("`hex {word}`"),
        _ => "each byte as 0x…".into(),
    };
    let bits = size * 8;
    if bits > 64 {
        return format!(
            "`{word}` can be a number and can be bytes in this order: write it in bytes, {bytes}"
        );
    }
    format!(
        "`{word}` can be a number and can be bytes in this order: write u{bits}:{word} for the number, {bytes} for the bytes"
    )
}

/// An integer of whole bytes, or the bits of a float, in the order of its type; `None` where it is none, or does not fit.
pub fn integer(layout: &Layout, place: Place, number: i128, signed: bool) -> Option<Vec<u8>> {
    if !matches!(
        layout.resolve(place.ty).ok()?.kind,
        Kind::Int { .. } | Kind::Enum { .. } | Kind::Pointer | Kind::Float(_)
    ) {
        return None;
    }
    let mut bytes = encode(number, place.size, signed)?;
    if layout.order(place.ty).is_swapped() {
        bytes.reverse();
    }
    Some(bytes)
}
