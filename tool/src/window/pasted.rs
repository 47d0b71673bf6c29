// SPDX-License-Identifier: MIT OR Apache-2.0
//! What bpftool prints of a whole entry, and is pasted where its key or its value is wanted.

use crate::btf::Kind;
use crate::bytes::{Given, hex};
use crate::image::Image;
use crate::json::Json;
use crate::layout::{Layout, Place, There};
use crate::outcome::Failure;
use crate::typed::{self, By};

/// What looks like an entry: alone, or the only one of a dump.
fn entry(json: &Json) -> Option<&Json> {
    let is_part = |(name, _): &(String, Json)| ["key", "value", "formatted"].contains(&name.as_str());
    match json {
        Json::Object(members) if members.len() > 1 && members.iter().all(is_part) => Some(json),
        Json::Array(items) if items.len() == 1 && !matches!(items[0], Json::Array(_)) => entry(&items[0]),
        _ => None,
    }
}

/// How many entries a dump is, of more than one.
fn several(json: &Json) -> Option<usize> {
    match json {
        Json::Array(items) if items.len() > 1 => {
            items.iter().all(|item| entry(item).is_some()).then_some(items.len())
        }
        _ => None,
    }
}

/// The bytes that an array is, of an entry or alone.
pub fn bytes(json: &Json, part: &str) -> Option<Vec<u8>> {
    let entry = entry(json).and_then(|entry| entry.get(part));
    entry.unwrap_or(json).bytes()
}

/// The part that was pasted, if it is not this one: `key: 0a 00` alone has no value.
pub fn other_part(json: &Json, part: &str) -> Option<&'static str> {
    let is_missing = entry(json).and_then(|entry| entry.get(part)) == Some(&Json::Null);
    is_missing.then_some(if part == "key" { "value" } else { "key" })
}

/// The bytes of the value of an entry, if they are as many as the values of the map have.
pub fn whole_value(json: &Json, size: usize) -> Option<Vec<u8>> {
    entry(json)?.get("value")?.bytes().filter(|bytes| bytes.len() == size)
}

/// What `formatted` of an entry says of this part.
fn formatted<'a>(json: &'a Json, part: &str) -> Option<&'a Json> {
    entry(json)?.get("formatted")?.get(part)
}

/// Whether JSON has the form of what lies at `place`, whatever comes of it.
fn has_form(layout: &Layout, place: Place, json: &Json) -> bool {
    match (layout.resolve(place.ty).map(|ty| &ty.kind), json) {
        (Ok(Kind::Struct { .. }), json) => matches!(json, Json::Object(_)),
        (Ok(Kind::Array { .. }), json) => matches!(json, Json::Array(_) | Json::String(_)),
        (_, json) => !matches!(json, Json::Object(_) | Json::Array(_)),
    }
}

/// Whether what looks like an entry can be no entry, but name the fields `key`, `value` and `formatted` of what lies at `place`.
fn names_fields(layout: &Layout, place: Place, json: &Json) -> bool {
    let Json::Object(members) = json else { return false };
    let is_field = |(name, json): &(String, Json)| {
        layout.member(place, name).is_ok_and(|field| has_form(layout, field, json))
    };
    members.iter().all(is_field)
}

/// Says in `image` what JSON says of all of a key or value.
///
/// # Errors
/// A field is not there, does not take the value, or its number is one in this machine's order and another in the field's.
pub fn say(layout: &Layout, json: &Json, part: &str, image: &mut Image) -> Result<(), String> {
    let place = layout.whole()?;
    let is_row = matches!(layout.resolve(place.ty)?.kind, Kind::Array { .. });
    if let (Some(count), false) = (several(json), is_row) {
        return Err(format!("{count} entries are given, and one is wanted: leave out the others"));
    }
    let Some(pasted) = entry(json) else {
        return typed::json(layout, place, "", json, By::People, image);
    };
    let inner = formatted(json, part).or_else(|| pasted.get(part)).unwrap_or(pasted);
    if !names_fields(layout, place, pasted) {
        return say_entry(layout, pasted, part, image);
    }
    typed::json(layout, place, "", pasted, By::People, image)?;
    let mut other = Image::new(place.size);
    let is_entry = has_form(layout, place, inner);
    let is_same = |other: Image| other.range() == image.range() && other.whole() == image.clone().whole();
    if !is_entry || say_entry(layout, pasted, part, &mut other).is_ok() && is_same(other) {
        return Ok(());
    }
    Err(format!(
        "it can be a whole entry, and can name the fields `key` and `value` of the {part}: give the {part} alone, or its bytes"
    ))
}

fn say_entry(layout: &Layout, entry: &Json, part: &str, image: &mut Image) -> Result<(), String> {
    let place = layout.whole()?;
    if formatted(entry, part).is_some() && entry.get(part).is_some() {
        return Err(format!(
            "`{part}` is no array of bytes, and `formatted` says it as well: leave one of them out"
        ));
    }
    let inner = formatted(entry, part).or_else(|| entry.get(part)).unwrap_or(entry);
    let mut typed = image.clone();
    typed::json(layout, place, "", inner, By::Bpftool, image)?;
    match typed::json(layout, place, "", inner, By::People, &mut typed) {
        Ok(()) if typed.clone().whole() != image.clone().whole() => Err(format!(
            "the {part} has numbers in network order, which bpftool prints in this machine's and people write in theirs: paste the \
             entry with its bytes (bpftool --json), or write each such number as bytes or with its order, \"u16be:80\""
        )),
        // As people would have written it, it is nothing, or contradicts itself: bpftool printed it.
        _ => Ok(()),
    }
}

/// Whether the bytes of an entry and its `formatted` say the same, where the BTF may be read. What is not read here, bpftool wrote
/// of the bytes.
///
/// # Errors
/// They contradict each other: somebody has changed one of them.
pub fn agrees(
    given: &Given,
    part: &str,
    bytes: &[u8],
    layout: impl FnOnce() -> Result<Layout, Failure>,
) -> Result<(), String> {
    match (given, layout()) {
        (Given::Json(json), Ok(layout)) => agrees_with(&layout, json, part, bytes),
        _ => Ok(()),
    }
}

fn agrees_with(layout: &Layout, json: &Json, part: &str, bytes: &[u8]) -> Result<(), String> {
    let (Some(json), Ok(place)) = (entry(json), layout.whole()) else { return Ok(()) };
    let (other, by) = if names_fields(layout, place, json) {
        (Some(json), By::People)
    } else {
        (formatted(json, part), By::BesideBytes)
    };
    let Some(other) = other else { return Ok(()) };
    let mut image = Image::new(place.size);
    let is_read = typed::json(layout, place, "", other, by, &mut image).is_ok();
    if !is_read || bytes.len() != place.size || image.holds(bytes) {
        return Ok(());
    }
    Err(format!(
        "the bytes of the {part} and its fields by name contradict each other: leave one of them out"
    ))
}

/// Whether an entry that was pasted for its value is the one of this key, in either order of its numbers.
///
/// # Errors
/// It is another one.
pub fn is_of(
    given: &Given,
    key: &[u8],
    key_layout: impl FnOnce() -> Result<Layout, Failure>,
    value_layout: impl FnOnce() -> Result<Layout, Failure>,
) -> Result<(), String> {
    let Given::Json(json) = given else { return Ok(()) };
    let Some(pasted) = entry(json) else { return Ok(()) };
    let Some(own) = pasted.get("key").or_else(|| formatted(pasted, "key")) else { return Ok(()) };
    let names_fields =
        |layout: Layout| layout.whole().is_ok_and(|place| names_fields(&layout, place, pasted));
    if *own == Json::Null || value_layout().is_ok_and(names_fields) {
        return Ok(());
    }
    let is_same = match (own.bytes(), key_layout()) {
        (Some(bytes), _) => bytes == key,
        // Then the value cannot be read either.
        (None, Err(_)) => true,
        (None, Ok(layout)) => {
            let place = layout.whole()?;
            [By::Bpftool, By::People].into_iter().any(|by| {
                let mut image = Image::new(place.size);
                typed::json(&layout, place, "", own, by, &mut image).is_ok() && image.holds(key)
            })
        }
    };
    if is_same {
        return Ok(());
    }
    Err(format!(
        "the entry that is pasted has another key than --key, which is {}: paste the entry of that key, or its value alone",
        hex(key.get(..16).unwrap_or(key))
    ))
}

/// What an entry says of the field at `place`, or an object that names this field alone; `None` where it is neither, or the object
/// can name fields of this field.
pub fn cut(layout: &Layout, json: &Json, place: Place, field: &str) -> Option<Result<Vec<u8>, String>> {
    let is_entry = entry(json).is_some_and(|entry| !names_fields(layout, place, entry));
    let is_struct = matches!(layout.resolve(place.ty).ok()?.kind, Kind::Struct { .. });
    let names_it = matches!(json, Json::Object(_)) && !is_struct;
    (is_entry || names_it).then(|| part_of(layout, json, place, field, is_entry))
}

fn part_of(
    layout: &Layout,
    json: &Json,
    place: Place,
    field: &str,
    is_entry: bool,
) -> Result<Vec<u8>, String> {
    let size = layout.whole()?.size;
    let mut image = Image::new(size);
    if let Some(bytes) = whole_value(json, size) {
        agrees_with(layout, json, "value", &bytes)?;
        image = Image::of(0, &bytes, size);
    } else {
        say(layout, json, "value", &mut image)?;
    }
    if image.has(place) != There::All {
        return Err(format!("it does not name all of `{field}`, which --field says"));
    }
    if !is_entry && image.range() != place.range() {
        return Err(format!("it names more than `{field}`, which --field says: leave one of them out"));
    }
    let mut bytes = image.whole().0;
    Ok(bytes.drain(place.range()).collect())
}
