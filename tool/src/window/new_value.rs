// SPDX-License-Identifier: MIT OR Apache-2.0
//! From what the user gave as `--value` to what it says of the value.

use super::source::{Role, raw_bytes};
use super::{Choice, Window, named, run};
use crate::bytes::{Given, count};
use crate::image::Image;
use crate::layout::Layout;
use crate::outcome::Failure;

/// What the entry is to hold: of the same window as what is expected, of the fields that JSON names, or all of it.
///
/// # Errors
/// Where it does not fit the value or the window, or cannot be read.
pub fn new_value(
    given: &Given,
    choice: Choice<'_>,
    expected: &Window,
    value_size: u32,
    layout: impl Fn() -> Result<Layout, Failure>,
) -> Result<Image, Failure> {
    let whole = choice.field.is_none() && choice.offset.is_none();
    if let Given::Json(json) = given
        && whole
        && raw_bytes(Role::Value, given, value_size).is_none()
    {
        let image = named(Role::Value, json, &layout()?)?;
        return if image.range().is_empty() {
            Err(Role::Value.usage("the JSON names no field"))
        } else {
            Ok(image)
        };
    }
    let new = run(Role::Value, given, choice, value_size, layout)?;
    let (size, expected) = (new.expected.len(), expected.expected.len());
    if !whole && size != expected {
        return Err(Role::Value.usage(&format!(
            "{} given, and --expect has {expected}: both are of the same window",
            count(size, "byte")
        )));
    }
    Ok(Image::of(new.offset as usize, &new.expected, value_size as usize))
}
