// SPDX-License-Identifier: MIT OR Apache-2.0
//! From what the user gave to the key and the window, once the map is known.

mod new_value;
mod pasted;

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;

use cmpdel_uapi::MAX_WINDOW;

use crate::bytes::{Given, Literal, hex};
use crate::image::{self, Image};
use crate::json::Json;
use crate::layout::{Layout, Place};
use crate::outcome::Failure;
use crate::typed::{self, By};

pub use new_value::new_value;

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

/// The bytes that need no BTF to be read, and no more than one above `size`; `None` for what is typed.
fn raw_bytes(given: &Given, part: &str, size: u32) -> Option<Result<Vec<u8>, Failure>> {
    let limit = u64::from(size) + 1;
    match given {
        Given::File(path) => {
            let what = format!("reading {}", path.display());
            Some(
                File::open(path)
                    .and_then(|file| read(file, limit))
                    .map_err(|e| Failure::other(format!("{what}: {e}"))),
            )
        }
        Given::Stdin => Some(
            read(io::stdin().lock(), limit)
                .map_err(|error| Failure::other(format!("reading standard input: {error}"))),
        ),
        Given::Json(json) => pasted::bytes(json, part).map(Ok),
        Given::Literal(_) => None,
    }
}

fn read(from: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(limit).read_to_end(&mut bytes).map(|_| bytes)
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
    let usage = |why: String| Failure::usage(format!("--key: {why}"));
    let length = |bytes: usize| format!("{bytes} bytes given, keys of this map have {key_size}");
    match (given, raw_bytes(given, "key", key_size)) {
        (_, Some(bytes)) => {
            let bytes = bytes?;
            if u32::try_from(bytes.len()) == Ok(key_size) {
                pasted::agrees(given, "key", &bytes, layout).map_err(usage)?;
                return Ok(Key { bytes, assumed: Vec::new() });
            }
            Err(usage(length(bytes.len())))
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
    length: &dyn Fn(usize) -> String,
) -> Result<(Vec<u8>, Vec<Range<usize>>), String> {
    let bytes = match &literal.bytes {
        Ok(bytes) if u32::try_from(bytes.len()) == Ok(size) => Ok(bytes.clone()),
        Ok(bytes) => Err(length(bytes.len())),
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
            let bytes = bytes?;
            literal.one_reading()?;
            match layout {
                Ok(layout) => typed::in_order(&layout, 0, literal)?,
                Err(_) => typed::without_btf(literal)?,
            }
            Ok((bytes, Vec::new()))
        }
    }
}

/// What a run of bytes of the value is given for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// To be compared.
    Expect,
    /// To be put in its place.
    Value,
}

impl Role {
    fn usage(self, why: &str) -> Failure {
        let option = match self {
            Self::Expect => "--expect",
            Self::Value => "--value",
        };
        Failure::usage(format!("{option}: {why}"))
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
        return in_field(role, given, field, &layout()?);
    }
    let Choice { offset, size, .. } = choice;
    let whole_value = offset.is_none() && size.is_none();
    let length = |bytes: usize| too_short(role, bytes, value_size);
    let expected = match (given, raw_bytes(given, "value", value_size)) {
        (_, Some(bytes)) => {
            let bytes = bytes?;
            pasted::agrees(given, "value", &bytes, layout).map_err(usage)?;
            bytes
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
            let (expected, assumed) =
                all_of(literal, value_size, layout(), "value", &length).map_err(usage)?;
            return Ok(Window { offset: 0, expected, assumed });
        }
        (Given::Literal(literal), None) => {
            let bytes = literal.bytes.clone().map_err(usage)?;
            literal.one_reading().map_err(usage)?;
            match layout() {
                Ok(layout) => typed::in_order(&layout, offset.unwrap_or_default() as usize, literal),
                Err(_) => typed::without_btf(literal),
            }
            .map_err(usage)?;
            bytes
        }
        (_, None) => return Err(usage("it cannot be read".into())),
    };
    let len = expected.len();
    if let Some(size) = size.filter(|&size| u32::try_from(len) != Ok(size)) {
        return Err(usage(format!("{len} bytes given, --size says {size}")));
    }
    let Some(offset) = offset else {
        if u32::try_from(len) == Ok(value_size) {
            return Ok(Window { offset: 0, expected, assumed: Vec::new() });
        }
        return Err(usage(length(len)));
    };
    let end = u64::from(offset) + len as u64;
    if len == 0 || end > u64::from(value_size) {
        return Err(usage(format!(
            "a window of {len} bytes at offset {offset} does not fit values of {value_size} bytes"
        )));
    }
    Ok(Window { offset, expected, assumed: Vec::new() })
}

fn too_short(role: Role, len: usize, value_size: u32) -> String {
    let what = match role {
        Role::Expect => "compare",
        Role::Value => "set",
    };
    format!(
        "{len} bytes given, values of this map have {value_size}; to {what} a part, say where with --offset or --field"
    )
}

/// The window of one field, in which a plain number is of the field's own type.
fn in_field(role: Role, given: &Given, field: &str, layout: &Layout) -> Result<Window, Failure> {
    let place = layout.field(field).map_err(|why| Failure::usage(format!("--field {field}: {why}")))?;
    let usage = |why: String| role.usage(&why);
    if let Some(bits) = place.bits {
        return Err(Failure::usage(format!(
            "--field {field}: it is {} bits, and a window is whole bytes: name all fields that share them as JSON, \
             {{\"{field}\": …}}, or use --offset {} with bytes",
            bits.count, place.offset
        )));
    }
    let size = u32::try_from(place.size).unwrap_or(u32::MAX);
    let expected = match (given, raw_bytes(given, "value", size)) {
        (_, Some(bytes)) => bytes?,
        (Given::Json(json), None) => return in_json(json, place, field, layout).map_err(usage),
        (Given::Literal(literal), None) => typed::word(layout, place, literal).map_err(usage)?,
        (_, None) => return Err(usage("it cannot be read".into())),
    };
    if expected.len() != place.size {
        return Err(usage(format!(
            "{} bytes given ({}), `{field}` has {}",
            expected.len(),
            hex(expected.get(..16).unwrap_or(&expected)),
            place.size
        )));
    }
    at(image::Window { offset: place.offset, expected, assumed: Vec::new() })
}

fn in_json(json: &Json, place: Place, field: &str, layout: &Layout) -> Result<Window, String> {
    let mut image = Image::new(layout.whole()?.size);
    typed::json(layout, place, field, json, By::People, &mut image)?;
    let window = image.window(layout)?;
    if (window.offset, window.expected.len()) == (place.offset, place.size) {
        return at(window).map_err(|failure| failure.message);
    }
    Err(format!(
        "the JSON names {} bytes at {}, `{field}` has {} at {}: leave out --field, or name all of it",
        window.expected.len(),
        window.offset,
        place.size,
        place.offset
    ))
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

#[cfg(test)]
mod tests;
