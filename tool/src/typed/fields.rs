// SPDX-License-Identifier: MIT OR Apache-2.0
//! Fields by their names, as JSON.

use super::{TEXT, number, printed_bits};
use crate::btf::Kind;
use crate::image::Image;
use crate::json::{Json, is_unnamed};
use crate::layout::{Layout, Place};

/// Who wrote the JSON, and for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// People: they are in the order of their type.
    People,
    /// People who ask for a field: a text ends with its first zero, and what lies behind that is no part of it.
    Asking,
    /// bpftool: it prints all in this machine's order, those of `__be16` and the like too.
    Bpftool,
    /// bpftool, beside the bytes: a text is as it stands and says nothing of what lies behind its end, and a field that cannot be
    /// read here is left open.
    BesideBytes,
}

/// Says in `image` what `json` says of the field at `place`. An object names fields; what it does not name is left open.
///
/// # Errors
/// A sentence: a field is not there, does not take the value, or is contradicted.
pub fn json(
    layout: &Layout,
    place: Place,
    path: &str,
    json: &Json,
    by: By,
    image: &mut Image,
) -> Result<(), String> {
    let at = |why: String| at(path, &why);
    match (&layout.resolve(place.ty)?.kind, json) {
        (Kind::Struct { .. }, Json::Object(members)) => members_of(layout, place, path, members, by, image),
        (Kind::Array { count, .. }, Json::Array(items)) => {
            if items.len() != *count as usize {
                return Err(at(format!("an array of {count}, and {} are given", items.len())));
            }
            items.iter().enumerate().try_for_each(|(i, item)| {
                self::json(layout, layout.element(place, i)?, &format!("{path}[{i}]"), item, by, image)
            })
        }
        (_, Json::String(text)) if by == By::Bpftool && printed_in_hex(layout, place, text).is_some() => {
            let bytes = printed_in_hex(layout, place, text).unwrap_or_else(|| Ok(Vec::new()));
            image.put(place, path, &bytes.map_err(at)?)
        }
        _ if by == By::BesideBytes => beside_bytes(layout, place, path, json, image),
        (_, Json::String(text)) if by == By::Asking => {
            let bytes = super::text(layout, place, text).map_err(at)?;
            put_asked(layout, place, path, text, &bytes, image)
        }
        (_, Json::String(text)) => image.put(place, path, &super::text(layout, place, text).map_err(at)?),
        (_, Json::Bool(truth)) => {
            let bytes = number(layout, place, i128::from(*truth)).map_err(at)?;
            image.put(place, path, &bytes)
        }
        (_, Json::Number(n)) => {
            let bytes = number(layout, place, *n).map_err(at)?;
            image.put(place, path, &if by == By::Bpftool { printed(layout, place, bytes) } else { bytes })
        }
        _ => Err(at(format!("{json} is no value for {}", layout.type_name(place.ty)))),
    }
}

/// Says in `image` what is asked of the field at `place`, by the text that it was given as.
///
/// # Errors
/// It is contradicted.
pub fn put_asked(
    layout: &Layout,
    place: Place,
    path: &str,
    given: &str,
    bytes: &[u8],
    image: &mut Image,
) -> Result<(), String> {
    let text = given.strip_prefix(TEXT).unwrap_or(given).as_bytes();
    let is_row = matches!(layout.resolve(place.ty)?.kind, Kind::Array { .. });
    let is_text = is_row && bytes.strip_prefix(text).is_some_and(|rest| rest.iter().all(|byte| *byte == 0));
    let size = if is_text { place.size.min(text.len() + 1) } else { place.size };
    image.put(Place { size, ..place }, path, bytes)
}

/// What bpftool prints as a number in hex, as no person writes it: a bit-field, a pointer, an integer of 128 bits.
fn printed_in_hex(layout: &Layout, place: Place, text: &str) -> Option<Result<Vec<u8>, String>> {
    let kind = &layout.resolve(place.ty).ok()?.kind;
    let digits =
        if text == "(nil)" && matches!(kind, Kind::Pointer) { "0" } else { text.strip_prefix("0x")? };
    let is_hex = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let wide = u128::from_str_radix(digits, 16).ok().filter(|_| is_hex)?;
    let narrow = i128::try_from(wide).ok();
    match (kind, place.bits) {
        (Kind::Int { .. } | Kind::Enum { .. }, Some(bits)) => {
            Some(number(layout, place, printed_bits(narrow?, bits.count, kind)))
        }
        (Kind::Int { size: 16, .. }, None) => Some(Ok(wide.to_ne_bytes().to_vec())),
        (Kind::Pointer, None) => Some(number(layout, place, narrow?)),
        _ => None,
    }
}

/// A number as bpftool prints it, of which the type would have the other order.
fn printed(layout: &Layout, place: Place, mut bytes: Vec<u8>) -> Vec<u8> {
    if place.bits.is_none() && layout.order(place.ty).is_swapped() {
        bytes.reverse();
    }
    bytes
}

fn beside_bytes(
    layout: &Layout,
    place: Place,
    path: &str,
    json: &Json,
    image: &mut Image,
) -> Result<(), String> {
    let is_text =
        matches!(layout.resolve(place.ty)?.kind, Kind::Array { element, .. } if layout.is_character(element));
    let bytes = match json {
        Json::String(text) if is_text => Ok([text.as_bytes(), &[0]].concat()),
        Json::String(text) => {
            printed_in_hex(layout, place, text).unwrap_or_else(|| super::text(layout, place, text))
        }
        Json::Number(n) => number(layout, place, *n).map(|bytes| printed(layout, place, bytes)),
        _ => return Ok(()),
    };
    let Ok(bytes) = bytes else { return Ok(()) };
    image.put(Place { size: bytes.len().min(place.size), ..place }, path, &bytes)
}

fn members_of(
    layout: &Layout,
    place: Place,
    path: &str,
    members: &[(String, Json)],
    by: By,
    image: &mut Image,
) -> Result<(), String> {
    let mut unnamed = 0;
    for (name, value) in members {
        if is_unnamed(name) {
            json(layout, layout.unnamed_member(place, unnamed)?, path, value, by, image)?;
            unnamed += 1;
            continue;
        }
        let inner = layout.member(place, name)?;
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        json(layout, inner, &path, value, by, image)?;
    }
    Ok(())
}

fn at(path: &str, why: &str) -> String {
    if path.is_empty() { why.into() } else { format!("`{path}`: {why}") }
}
