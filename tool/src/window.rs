// SPDX-License-Identifier: MIT OR Apache-2.0
//! From what the user gave to the key and the window, once the map is known.

use std::fs;
use std::io::{self, Read};

use crate::bytes::{Given, Literal, hex};
use crate::json;
use crate::layout::Layout;
use crate::outcome::Failure;

/// The compared region of a value, and what is expected there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Bytes from the start of the value.
    pub offset: u32,
    /// The expected bytes.
    pub expected: Vec<u8>,
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

/// The bytes of a file or of standard input.
fn read(given: &Given) -> Option<Result<Vec<u8>, Failure>> {
    match given {
        Given::File(path) => Some(
            fs::read(path).map_err(|error| Failure::other(format!("reading {}: {error}", path.display()))),
        ),
        Given::Stdin => {
            let mut bytes = Vec::new();
            let answer = io::stdin().lock().read_to_end(&mut bytes);
            Some(
                answer
                    .map(|_| bytes)
                    .map_err(|error| Failure::other(format!("reading standard input: {error}"))),
            )
        }
        Given::Json(_) | Given::Literal(_) => None,
    }
}

/// The bytes given, without a map's BTF.
fn plain_bytes(given: &Given) -> Result<Vec<u8>, Failure> {
    match given {
        Given::Literal(Literal { bytes, .. }) => bytes.clone().map_err(Failure::usage),
        given => read(given).unwrap_or_else(|| Err(Failure::usage("JSON needs the map's BTF"))),
    }
}

/// The key, as long as the keys of the map.
///
/// # Errors
/// Where it is not, or cannot be read.
pub fn key(
    given: &Given,
    key_size: u32,
    layout: impl FnOnce() -> Result<Layout, Failure>,
) -> Result<Vec<u8>, Failure> {
    let bytes = match given {
        Given::Json(value) => {
            json::whole(&layout()?, value).map_err(|e| Failure::usage(format!("--key: {e}")))?
        }
        given => plain_bytes(given)?,
    };
    if u32::try_from(bytes.len()) == Ok(key_size) {
        return Ok(bytes);
    }
    Err(Failure::usage(format!("--key: {} bytes given, keys of this map have {key_size}", bytes.len())))
}

/// The window.
///
/// # Errors
/// Where it does not fit the value, or cannot be read.
pub fn window(
    given: &Given,
    choice: Choice<'_>,
    value_size: u32,
    layout: impl FnOnce() -> Result<Layout, Failure>,
) -> Result<Window, Failure> {
    let usage = |why: String| Failure::usage(format!("--expect: {why}"));
    if let Some(field) = choice.field {
        return in_field(given, field, &layout()?);
    }
    let Choice { offset, size, .. } = choice;
    if let Given::Json(value) = given {
        if offset.is_some() {
            return Err(usage(
                "JSON names its fields, and --offset says something else: leave one out".into(),
            ));
        }
        let layout = layout()?;
        let place = layout.whole().map_err(usage)?;
        let (offset, expected) = json::window(&layout, place, value).map_err(usage)?;
        return at(offset, expected);
    }
    let expected = plain_bytes(given)?;
    let len = expected.len();
    if let Some(size) = size.filter(|&size| u32::try_from(len) != Ok(size)) {
        return Err(usage(format!("{len} bytes given, --size says {size}")));
    }
    let Some(offset) = offset else {
        if u32::try_from(len) == Ok(value_size) {
            return Ok(Window { offset: 0, expected });
        }
        return Err(usage(format!(
            "{len} bytes given, values of this map have {value_size}; to compare a part, say where with --offset or \
             --field"
        )));
    };
    let end = u64::from(offset) + len as u64;
    if len == 0 || end > u64::from(value_size) {
        return Err(usage(format!(
            "a window of {len} bytes at offset {offset} does not fit values of {value_size} bytes"
        )));
    }
    Ok(Window { offset, expected })
}

/// The window of one field, in which a plain number is of the field's own type.
fn in_field(given: &Given, field: &str, layout: &Layout) -> Result<Window, Failure> {
    let place = layout.field(field).map_err(|why| Failure::usage(format!("--field {field}: {why}")))?;
    let usage = |why: String| Failure::usage(format!("--expect: {why}"));
    let expected = match given {
        Given::Json(value) => {
            let (offset, expected) = json::window(layout, place, value).map_err(usage)?;
            if (offset, expected.len()) != (place.offset, place.size) {
                return Err(usage(format!(
                    "the JSON names {} bytes at {offset}, `{field}` has {} at {}: leave out --field, or name all of it",
                    expected.len(),
                    place.size,
                    place.offset
                )));
            }
            expected
        }
        Given::Literal(Literal { number: Some(number), bytes }) => match json::number(layout, place, *number)
        {
            Ok(bytes) => bytes,
            // The digits are a byte all the same, where the field takes no numbers.
            Err(why) => bytes.clone().ok().filter(|b| b.len() == place.size).ok_or_else(|| usage(why))?,
        },
        given => plain_bytes(given)?,
    };
    if expected.len() != place.size {
        return Err(usage(format!(
            "{} bytes given ({}), `{field}` has {}",
            expected.len(),
            hex(expected.get(..16).unwrap_or(&expected)),
            place.size
        )));
    }
    at(place.offset, expected)
}

fn at(offset: usize, expected: Vec<u8>) -> Result<Window, Failure> {
    let offset = u32::try_from(offset).map_err(|_| Failure::other("the field lies beyond 4 GiB"))?;
    Ok(Window { offset, expected })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Outcome;
    use crate::testing::conntrack;

    fn choose(expect: &str, choice: Choice<'_>) -> Result<(u32, Vec<u8>), Failure> {
        window(&Given::parse(expect).unwrap(), choice, 24, || Ok(conntrack())).map(|w| (w.offset, w.expected))
    }

    fn whole() -> Choice<'static> {
        Choice::default()
    }

    fn offset(offset: u32) -> Choice<'static> {
        Choice { offset: Some(offset), ..Choice::default() }
    }

    fn field(field: &str) -> Choice<'_> {
        Choice { field: Some(field), ..Choice::default() }
    }

    #[test]
    fn windows_are_chosen_as_documented() {
        let long = format!("0x{}", "00".repeat(24));
        let lifetime = 42_u32.to_ne_bytes().to_vec();
        let rows: [(&str, Choice<'_>, u32, Vec<u8>); 13] = [
            (&long, whole(), 0, vec![0; 24]),
            ("u32:42", offset(8), 8, lifetime.clone()),
            ("00", offset(23), 23, vec![0]),
            ("42", offset(0), 0, vec![0x42]),
            ("0a 0b", Choice { size: Some(2), ..offset(1) }, 1, vec![10, 11]),
            ("42", field("lifetime"), 8, lifetime.clone()),
            ("u32:42", field("lifetime"), 8, lifetime.clone()),
            ("{\"lifetime\": 42}", whole(), 8, lifetime),
            ("-3", field("delta"), 14, (-3_i16).to_ne_bytes().to_vec()),
            ("42", field("nat.tag[1]"), 21, vec![42]),
            ("0x42", field("nat.tag[1]"), 21, vec![0x42]),
            ("[1, 2]", field("nat.tag"), 20, vec![1, 2]),
            ("{\"mark\": 0, \"tag\": [1, 2]}", field("nat"), 18, vec![0, 0, 1, 2]),
        ];
        for (expect, choice, offset, expected) in rows {
            assert_eq!(choose(expect, choice), Ok((offset, expected)), "{expect} {choice:?}");
        }
    }

    #[test]
    fn what_does_not_fit_says_both_lengths() {
        for (expect, choice, why) in [
            ("00 01", whole(), "2 bytes given, values of this map have 24"),
            ("4200", whole(), "u32:4200"),
            ("00 01", offset(23), "a window of 2 bytes at offset 23 does not fit values of 24"),
            ("00", offset(24), "does not fit values of 24"),
            ("00", offset(u32::MAX), "does not fit values of 24"),
            ("00 01", Choice { size: Some(3), ..offset(0) }, "2 bytes given, --size says 3"),
            ("{\"lifetime\": 42}", offset(8), "leave one out"),
            ("00 01", field("lifetime"), "2 bytes given (00 01), `lifetime` has 4"),
            ("0x2a", field("lifetime"), "1 bytes given (2a), `lifetime` has 4"),
            ("256", field("state"), "256 does not fit enum ct_state (1 bytes)"),
            ("-1", field("lifetime"), "does not fit __u32"),
            ("{\"tag\": [1, 2]}", field("nat"), "the JSON names 2 bytes at 20, `nat` has 4 at 18"),
            ("1", field("nope"), "--field nope: no field"),
        ] {
            let failure = choose(expect, choice).unwrap_err();
            assert!(failure.message.contains(why), "{expect} {choice:?}: {}", failure.message);
            assert_eq!(failure.outcome, Outcome::Usage);
        }
    }

    #[test]
    fn keys_are_whole() {
        let key = |text: &str| key(&Given::parse(text).unwrap(), 4, || Ok(conntrack()));
        assert_eq!(key("u32be:1"), Ok(vec![0, 0, 0, 1]));
        assert!(key("0a 00 00").unwrap_err().message.contains("3 bytes given, keys of this map have 4"));
        assert!(key("{\"packets\": 1}").unwrap_err().message.contains("is not named"));
        assert!(key("@/nonexistent").unwrap_err().message.contains("/nonexistent"));
    }
}
