// SPDX-License-Identifier: MIT OR Apache-2.0
//! What bpftool prints of a whole entry, and is pasted where its key or its value is wanted.

use crate::bytes::Given;
use crate::image::Image;
use crate::json::Json;
use crate::layout::Layout;
use crate::outcome::Failure;
use crate::typed::{self, By};

/// Whether it looks like an entry.
fn is_entry(json: &Json) -> bool {
    let is_part = |(name, _): &(String, Json)| ["key", "value", "formatted"].contains(&name.as_str());
    matches!(json, Json::Object(members) if members.len() > 1 && members.iter().all(is_part))
}

/// The bytes that an array is, of an entry or alone.
pub fn bytes(json: &Json, part: &str) -> Option<Vec<u8>> {
    let entry = is_entry(json).then(|| json.get(part)).flatten();
    entry.unwrap_or(json).bytes()
}

/// What `formatted` of an entry says of this part.
fn formatted<'a>(json: &'a Json, part: &str) -> Option<&'a Json> {
    is_entry(json).then(|| json.get("formatted")?.get(part)).flatten()
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
    if !is_entry(json) || has_own(layout, part) {
        return typed::json(layout, place, "", json, By::People, image);
    }
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
    if !is_entry(json) {
        return Ok(());
    }
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
