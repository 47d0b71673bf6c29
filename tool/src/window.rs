// SPDX-License-Identifier: MIT OR Apache-2.0
//! From what the user gave to the key and the window, once the map is known.

mod field;
mod new_value;
mod pasted;
mod source;
mod untyped;

use std::ops::Range;

use cmpdel_uapi::MAX_WINDOW;

use crate::bytes::{Given, Literal, count};
use crate::image::{self, Image};
use crate::json::Json;
use crate::layout::Layout;
use crate::outcome::Failure;
use crate::typed;
use field::in_field;
use source::{Role, how_many, if_text, raw_bytes};
use untyped::with_type;

pub use new_value::new_value;
pub use pasted::is_of;

/// The compared region of a value, and what is expected there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Bytes from the start of the value.
    pub offset: u32,
    /// The expected bytes.
    pub expected: Vec<u8>,
    /// What of the value is taken to be zero, since nothing was said of it and no field lies there.
    pub assumed: Vec<Range<usize>>,
}

impl Window {
    /// As the kernel is given it.
    #[must_use]
    pub fn sent(&self) -> cmpdel_uapi::Window<'_> {
        cmpdel_uapi::Window::at(self.offset, &self.expected)
    }

    /// Where it lies.
    #[must_use]
    pub fn range(&self) -> Range<u32> {
        let size = u32::try_from(self.expected.len()).unwrap_or(u32::MAX);
        self.offset..self.offset.saturating_add(size)
    }
}

/// A key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// As many bytes as the keys of the map have.
    pub bytes: Vec<u8>,
    /// What of it is taken to be zero, since nothing was said of it.
    pub assumed: Vec<Range<usize>>,
}

/// How the user chose the window.
#[derive(Clone, Copy, Debug, Default)]
pub struct Choice<'a> {
    /// `--offset`.
    pub offset: Option<u32>,
    /// `--size`.
    pub size: Option<u32>,
    /// `--field`.
    pub field: Option<&'a str>,
}

/// All of a key or value that is typed.
fn whole(layout: &Layout, part: &str, given: &Given) -> Result<(Vec<u8>, Vec<Range<usize>>), String> {
    let place = layout.whole()?;
    let mut image = Image::new(place.size);
    match given {
        Given::Json(json) => {
            pasted::say(layout, json, part, &mut image)?;
            let missing = layout.missing(place, "", &|place| image.has(place));
            if let Some(missing) = missing {
                return Err(format!("a {part} is whole, and `{missing}` is not named"));
            }
        }
        Given::Literal(literal) => image.put(place, "", &typed::word(layout, place, literal)?)?,
        Given::File(_) | Given::Stdin => {}
    }
    Ok(image.whole())
}

/// The key, as long as the keys of the map.
///
/// # Errors
/// Where it is not, or cannot be read.
pub fn key(
    given: &Given,
    key_size: u32,
    layout: impl FnOnce() -> Result<Layout, Failure>,
) -> Result<Key, Failure> {
    let usage = |why: String| Role::Key.usage(&why);
    let length = |bytes: &[u8]| {
        let many = how_many(given, bytes, key_size as usize);
        format!("{many}, keys of this map have {key_size}{}", if_text(Role::Key, given, bytes))
    };
    match (given, raw_bytes(Role::Key, given, key_size)) {
        (_, Some(bytes)) => {
            let bytes = bytes?;
            if u32::try_from(bytes.len()) == Ok(key_size) {
                pasted::agrees(given, "key", &bytes, layout).map_err(usage)?;
                return Ok(Key { bytes, assumed: Vec::new() });
            }
            Err(usage(length(&bytes)))
        }
        (Given::Literal(literal), None) => {
            let (bytes, assumed) = all_of(literal, key_size, layout(), "key", &length).map_err(usage)?;
            Ok(Key { bytes, assumed })
        }
        (given, None) => {
            let (bytes, assumed) = whole(&layout()?, "key", given).map_err(usage)?;
            Ok(Key { bytes, assumed })
        }
    }
}

/// A whole key or value in words: what its type takes where it is no more than one field and the BTF may be read, else as many
/// bytes as it has; `length` says how many are too many or too few.
fn all_of(
    literal: &Literal,
    size: u32,
    layout: Result<Layout, Failure>,
    part: &str,
    length: &dyn Fn(&[u8]) -> String,
) -> Result<(Vec<u8>, Vec<Range<usize>>), String> {
    let bytes = match &literal.bytes {
        Ok(bytes) if u32::try_from(bytes.len()) == Ok(size) => Ok(bytes.clone()),
        Ok(bytes) => Err(length(bytes)),
        Err(why) => Err(why.clone()),
    };
    match layout {
        Ok(layout) if !layout.is_struct() => {
            whole(&layout, part, &Given::Literal(literal.clone())).map_err(|why| {
                match (&bytes, literal.bytes.is_ok() && literal.hex_number().is_none()) {
                    (Err(length), true) => length.clone(),
                    _ => why,
                }
            })
        }
        layout => {
            let bytes = bytes.map_err(|why| with_type(literal, size as usize).unwrap_or(why))?;
            literal.one_reading()?;
            if let Ok(layout) = layout {
                typed::in_order(&layout, 0, literal)?;
            }
            Ok((bytes, Vec::new()))
        }
    }
}

/// The window.
///
/// # Errors
/// Where it does not fit the value, is longer than a kernel compares, or cannot be read.
pub fn window(
    given: &Given,
    choice: Choice<'_>,
    value_size: u32,
    layout: impl FnOnce() -> Result<Layout, Failure>,
) -> Result<Window, Failure> {
    let window = run(Role::Expect, given, choice, value_size, layout)?;
    match window.expected.len() {
        size if size <= MAX_WINDOW as usize => Ok(window),
        size => Err(Role::Expect.usage(&format!(
            "a window of {size} bytes is longer than the {MAX_WINDOW} that the kernel compares: narrow it to what changes with each \
             update, with --field NAME, or with --offset N and fewer bytes"
        ))),
    }
}

/// The fields that JSON names.
fn named(role: Role, json: &Json, layout: &Layout) -> Result<Image, Failure> {
    let usage = |why: String| role.usage(&why);
    let place = layout.whole().map_err(usage)?;
    let mut image = Image::new(place.size);
    pasted::say(layout, json, "value", &mut image).map_err(usage)?;
    Ok(image)
}

/// A run of bytes of the value.
fn run(
    role: Role,
    given: &Given,
    choice: Choice<'_>,
    value_size: u32,
    layout: impl FnOnce() -> Result<Layout, Failure>,
) -> Result<Window, Failure> {
    let usage = |why: String| role.usage(&why);
    if let Some(field) = choice.field {
        return at(in_field(role, given, field, &layout()?)?);
    }
    let Choice { offset, size, .. } = choice;
    let whole_value = offset.is_none() && size.is_none();
    let length = |bytes: &[u8]| {
        let many = how_many(given, bytes, value_size as usize);
        too_short(role, &many, value_size) + &if_text(role, given, bytes)
    };
    let expected = match (given, raw_bytes(role, given, value_size)) {
        (_, Some(bytes)) => {
            let bytes = bytes?;
            pasted::agrees(given, "value", &bytes, layout).map_err(usage)?;
            match given {
                Given::Json(json) if pasted::whole_value(json, value_size as usize).is_some() => {
                    cut(bytes, choice).map_err(usage)?
                }
                _ => bytes,
            }
        }
        (Given::Json(json), None) => {
            if !whole_value {
                return Err(usage(
                    "JSON names its fields, and --offset says something else: leave one out".into(),
                ));
            }
            let layout = layout()?;
            return at(named(role, json, &layout)?.window(&layout).map_err(usage)?);
        }
        (Given::Literal(literal), None) if whole_value => {
            let layout = layout();
            if role == Role::Value && layout.is_err() {
                typed::without_btf(literal).map_err(usage)?;
            }
            let (expected, assumed) = all_of(literal, value_size, layout, "value", &length).map_err(usage)?;
            return Ok(Window { offset: 0, expected, assumed });
        }
        (Given::Literal(literal), None) => {
            let bytes = literal.bytes.clone().map_err(usage)?;
            literal.one_reading().map_err(usage)?;
            match layout() {
                Ok(layout) => typed::in_order(&layout, offset.unwrap_or_default() as usize, literal),
                Err(_) if role == Role::Value => typed::without_btf(literal),
                Err(_) => Ok(()),
            }
            .map_err(usage)?;
            bytes
        }
        (_, None) => return Err(usage("it cannot be read".into())),
    };
    let len = expected.len();
    if let Some(size) = size.filter(|&size| u32::try_from(len) != Ok(size)) {
        return Err(usage(format!("{} given, --size says {size}", count(len, "byte"))));
    }
    let Some(offset) = offset else {
        if u32::try_from(len) == Ok(value_size) {
            return Ok(Window { offset: 0, expected, assumed: Vec::new() });
        }
        return Err(usage(length(&expected)));
    };
    let end = u64::from(offset) + len as u64;
    if len == 0 || end > u64::from(value_size) {
        return Err(usage(does_not_fit(len, offset as usize, value_size as usize)));
    }
    Ok(Window { offset, expected, assumed: Vec::new() })
}

fn does_not_fit(len: usize, offset: usize, value_size: usize) -> String {
    format!("a window of {} at offset {offset} does not fit values of {value_size} bytes", count(len, "byte"))
}

fn too_short(role: Role, how_many: &str, value_size: u32) -> String {
    let what = if role == Role::Value { "set" } else { "compare" };
    format!(
        "{how_many}, values of this map have {value_size}; to {what} a part, say where with --offset or --field"
    )
}

/// Of the value of an entry, the window that --offset and --size say.
fn cut(value: Vec<u8>, choice: Choice<'_>) -> Result<Vec<u8>, String> {
    match (choice.offset, choice.size) {
        (None | Some(0), None) => Ok(value),
        (Some(offset), None) => Err(format!(
            "an entry is pasted, and --offset {offset} says where a window of its value begins: say how long it is, with --size"
        )),
        (offset, Some(size)) => {
            let start = offset.unwrap_or_default() as usize;
            let part = start.checked_add(size as usize).and_then(|end| value.get(start..end));
            part.map(<[u8]>::to_vec).ok_or_else(|| does_not_fit(size as usize, start, value.len()))
        }
    }
}

fn at(window: image::Window) -> Result<Window, Failure> {
    let image::Window { offset, expected, assumed } = window;
    let offset = u32::try_from(offset).map_err(|_| Failure::other("the field lies beyond 4 GiB"))?;
    Ok(Window { offset, expected, assumed })
}

/// What was taken to be zero, for people: `bytes 13 to 15`.
#[must_use]
pub fn assumed_zero(assumed: &[Range<usize>]) -> Option<String> {
    let run = |run: &Range<usize>| match run.len() {
        1 => format!("byte {}", run.start),
        _ => format!("bytes {} to {}", run.start, run.end - 1),
    };
    let runs: Vec<_> = assumed.iter().map(run).collect();
    (!runs.is_empty()).then(|| format!("{} taken to be zero, since nothing was said of it", runs.join(", ")))
}

/// What to know of a key that is not found, where its numbers can be in two orders.
#[must_use]
pub fn order_of_key(given: &Given, layout: Option<&Layout>) -> Option<String> {
    let (json, layout) = match (given, layout) {
        (Given::Json(json), Some(layout)) => (json, layout),
        (Given::Literal(literal), None) => {
            let why = typed::without_btf(literal).err()?;
            return Some(format!("of the key, {why}; it was taken for the bytes"));
        }
        _ => return None,
    };
    let all = 0..layout.whole().ok()?.size;
    let is_other = layout.leaves(&all).iter().any(|leaf| layout.order(leaf.place.ty).is_swapped());
    (json.bytes().is_none() && is_other).then(|| {
        "of the key, numbers of __be16 and the like are in network order, as people write them, and not as bpftool prints them".into()
    })
}

#[cfg(test)]
mod tests;
