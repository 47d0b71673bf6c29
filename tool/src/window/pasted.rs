// SPDX-License-Identifier: MIT OR Apache-2.0
//! What bpftool prints of a whole entry, and is pasted where its key or its value is wanted.

use crate::btf::Kind;
use crate::bytes::Given;
use crate::image::Image;
use crate::json::Json;
use crate::layout::Layout;
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

/// What `formatted` of an entry says of this part.
fn formatted<'a>(json: &'a Json, part: &str) -> Option<&'a Json> {
    entry(json)?.get("formatted")?.get(part)
}

/// Whether a type has a field of the name of a part: then an object may be no entry, but name that field.
fn has_own(layout: &Layout, part: &str) -> bool {
    layout.whole().is_ok_and(|place| layout.member(place, part).is_ok())
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
    let Some(json) = entry(json).filter(|_| !has_own(layout, part)) else {
        return typed::json(layout, place, "", json, By::People, image);
    };
    if formatted(json, part).is_some() && json.get(part).is_some() {
        return Err(format!(
            "`{part}` is no array of bytes, and `formatted` says it as well: leave one of them out"
        ));
    }
    let inner = formatted(json, part).or_else(|| json.get(part)).unwrap_or(json);
    let mut typed = image.clone();
    typed::json(layout, place, "", inner, By::Bpftool, image)?;
    match typed::json(layout, place, "", inner, By::People, &mut typed) {
        Ok(()) if typed.clone().whole() == image.clone().whole() => Ok(()),
        _ => Err(format!(
            "the {part} has numbers in network order, which bpftool prints in this machine's and people write in theirs: paste the \
             entry with its bytes (bpftool --json), or write each such number as bytes or with its order, \"u16be:80\""
        )),
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
    let Given::Json(json) = given else { return Ok(()) };
    let Some(json) = entry(json) else { return Ok(()) };
    let Ok(layout) = layout() else { return Ok(()) };
    let (other, by) = if has_own(&layout, part) {
        (Some(json), By::People)
    } else {
        (formatted(json, part), By::BesideBytes)
    };
    let (Some(other), Ok(place)) = (other, layout.whole()) else { return Ok(()) };
    let mut image = Image::new(place.size);
    let is_read = typed::json(&layout, place, "", other, by, &mut image).is_ok();
    if !is_read || bytes.len() != place.size || image.holds(bytes) {
        return Ok(());
    }
    Err(format!(
        "the bytes of the {part} and its fields by name contradict each other: leave one of them out"
    ))
}
