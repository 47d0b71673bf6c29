// SPDX-License-Identifier: MIT OR Apache-2.0
//! The window of one field.

use super::pasted;
use super::source::{Role, how_many, if_text, raw_bytes};
use crate::bytes::{Given, count, hex};
use crate::image::{Image, Window};
use crate::json::Json;
use crate::layout::{Layout, Place};
use crate::outcome::Failure;
use crate::typed::{self, By};

/// The window of one field, in which a plain number is of the field's own type.
pub fn in_field(role: Role, given: &Given, field: &str, layout: &Layout) -> Result<Window, Failure> {
    let place = layout.field(field).map_err(|why| Failure::usage(format!("--field {field}: {why}")))?;
    let usage = |why: String| role.usage(&why);
    if let Some(bits) = place.bits {
        return Err(Failure::usage(format!(
            "--field {field}: it is {}, and a window is whole bytes: name all fields that share them as JSON, \
             {{\"{field}\": …}}, or use --offset {} with bytes",
            count(bits.count, "bit"),
            place.offset
        )));
    }
    let of_field = |expected| Window { offset: place.offset, expected, assumed: Vec::new() };
    if let Given::Json(json) = given
        && let Some(cut) = pasted::cut(layout, json, place, field)
    {
        return cut.map(of_field).map_err(usage);
    }
    let size = u32::try_from(place.size).unwrap_or(u32::MAX);
    let expected = match (given, raw_bytes(role, given, size)) {
        (_, Some(bytes)) => bytes?,
        (Given::Json(json), None) => return in_json(json, place, field, layout).map_err(usage),
        (Given::Literal(literal), None) => typed::word(layout, place, literal).map_err(usage)?,
        (_, None) => return Err(usage("it cannot be read".into())),
    };
    if expected.len() != place.size {
        let many = how_many(given, &expected, place.size);
        let start = hex(expected.get(..16).unwrap_or(&expected));
        let text = if_text(role, given, &expected);
        return Err(usage(format!("{many} ({start}), `{field}` has {}{text}", place.size)));
    }
    Ok(of_field(expected))
}

fn in_json(json: &Json, place: Place, field: &str, layout: &Layout) -> Result<Window, String> {
    let mut image = Image::new(layout.whole()?.size);
    typed::json(layout, place, field, json, By::People, &mut image)?;
    let window = image.window(layout)?;
    if (window.offset, window.expected.len()) == (place.offset, place.size) {
        return Ok(window);
    }
    Err(format!(
        "the JSON names {} at {}, `{field}` has {} at {}: leave out --field, or name all of it",
        count(window.expected.len(), "byte"),
        window.offset,
        place.size,
        place.offset
    ))
}
