// SPDX-License-Identifier: MIT OR Apache-2.0
//! From what the user gave to the key and the window, once the map is known.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;

use crate::bytes::{Given, Literal, hex};
use crate::image::{self, Image};
use crate::json::Json;
use crate::layout::{Layout, Place};
use crate::outcome::Failure;
use crate::typed;

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
        Given::Json(json) => {
            let entry = is_entry(json).then(|| json.get(part)).flatten();
            entry.unwrap_or(json).bytes().map(Ok)
        }
        Given::Literal(_) => None,
    }
}

fn read(from: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(limit).read_to_end(&mut bytes).map(|_| bytes)
}

/// Whether it looks like what bpftool prints of a whole entry.
fn is_entry(json: &Json) -> bool {
    let is_part = |(name, _): &(String, Json)| ["key", "value", "formatted"].contains(&name.as_str());
    matches!(json, Json::Object(members) if members.len() > 1 && members.iter().all(is_part))
}

/// Of a whole entry that was pasted, this part; but a type may have fields of these names itself.
fn pasted<'a>(layout: &Layout, place: Place, json: &'a Json, part: &str) -> &'a Json {
    if !is_entry(json) || layout.member(place, part).is_ok() {
        return json;
    }
    json.get("formatted").and_then(|formatted| formatted.get(part)).or_else(|| json.get(part)).unwrap_or(json)
}

/// All of a key or value that is typed.
fn whole(layout: &Layout, part: &str, given: &Given) -> Result<(Vec<u8>, Vec<Range<usize>>), String> {
    let place = layout.whole()?;
    let mut image = Image::new(place.size);
    match given {
        Given::Json(json) => {
            typed::json(layout, place, "", pasted(layout, place, json, part), &mut image)?;
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
                match (&bytes, literal.bytes.is_ok()) {
                    (Err(length), true) => length.clone(),
                    _ => why,
                }
            })
        }
        layout => {
            let bytes = bytes?;
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
    let whole_value = offset.is_none() && size.is_none();
    let expected = match (given, raw_bytes(given, "value", value_size)) {
        (_, Some(bytes)) => bytes?,
        (Given::Json(json), None) => {
            if !whole_value {
                return Err(usage(
                    "JSON names its fields, and --offset says something else: leave one out".into(),
                ));
            }
            let layout = layout()?;
            let place = layout.whole().map_err(usage)?;
            let mut image = Image::new(place.size);
            typed::json(&layout, place, "", pasted(&layout, place, json, "value"), &mut image)
                .map_err(usage)?;
            return at(image.window(&layout).map_err(usage)?);
        }
        (Given::Literal(literal), None) if whole_value => {
            let length = |bytes: usize| too_short(bytes, value_size);
            let (expected, assumed) =
                all_of(literal, value_size, layout(), "value", &length).map_err(usage)?;
            return Ok(Window { offset: 0, expected, assumed });
        }
        (Given::Literal(literal), None) => {
            let bytes = literal.bytes.clone().map_err(usage)?;
            literal.one_reading().map_err(usage)?;
            if let Ok(layout) = layout() {
                typed::in_order(&layout, offset.unwrap_or_default() as usize, literal).map_err(usage)?;
            }
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
        return Err(usage(too_short(len, value_size)));
    };
    let end = u64::from(offset) + len as u64;
    if len == 0 || end > u64::from(value_size) {
        return Err(usage(format!(
            "a window of {len} bytes at offset {offset} does not fit values of {value_size} bytes"
        )));
    }
    Ok(Window { offset, expected, assumed: Vec::new() })
}

fn too_short(len: usize, value_size: u32) -> String {
    format!(
        "{len} bytes given, values of this map have {value_size}; to compare a part, say where with --offset or --field"
    )
}

/// The window of one field, in which a plain number is of the field's own type.
fn in_field(given: &Given, field: &str, layout: &Layout) -> Result<Window, Failure> {
    let place = layout.field(field).map_err(|why| Failure::usage(format!("--field {field}: {why}")))?;
    let usage = |why: String| Failure::usage(format!("--expect: {why}"));
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
    typed::json(layout, place, field, json, &mut image)?;
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
mod tests {
    use super::*;
    use crate::outcome::Outcome;
    use crate::testing::{conntrack, number, owner, tuple};

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
            ("0x42", offset(0), 0, vec![0x42]),
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
            ("00 01", field("lifetime"), "2 bytes given (00 01), the field has 4"),
            ("0x2a", field("lifetime"), "1 bytes given (2a), the field has 4"),
            ("42", offset(0), "hex, as bpftool prints bytes"),
            ("1", field("seen"), "1 bits, and a window is whole bytes"),
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

    fn tuple_key(text: &str) -> Result<Key, Failure> {
        key(&Given::parse(text).unwrap(), 24, || Ok(tuple()))
    }

    fn owner_window(text: &str) -> Result<Window, Failure> {
        window(&Given::parse(text).unwrap(), whole(), 24, || Ok(owner()))
    }

    #[test]
    fn keys_are_whole() {
        let key = |text: &str| key(&Given::parse(text).unwrap(), 4, || Ok(conntrack())).map(|key| key.bytes);
        assert_eq!(key("u32be:1"), Ok(vec![0, 0, 0, 1]));
        assert_eq!(key("[\"0x0a\", \"0x00\", \"0x00\", \"0x01\"]"), Ok(vec![10, 0, 0, 1]));
        assert!(key("10 20 30 40").unwrap_err().message.contains("hex, as bpftool prints bytes"));
        assert_eq!(key("hex 10 20 30 40"), Ok(vec![0x10, 0x20, 0x30, 0x40]));
        assert!(key("0a 00 00").unwrap_err().message.contains("3 bytes given, keys of this map have 4"));
        assert!(key("{\"packets\": 1}").unwrap_err().message.contains("is not named"));
        assert!(key("@/dev/zero").unwrap_err().message.contains("5 bytes given"));
        let words = super::key(
            &Given::parse("u32:1 0x000000000000000000000000 0x0050 06 00 00 0x000000").unwrap(),
            24,
            || Ok(tuple()),
        );
        assert!(
            words.unwrap_err().message.contains("(__be32)"),
            "by BTF, bytes of a struct are known as well"
        );
        assert!(key("@/nonexistent").unwrap_err().message.contains("/nonexistent"));
    }

    #[test]
    fn of_a_union_one_member_is_enough() {
        let rest = "\"port\": 80, \"proto\": 6, \"netns\": 1, \"client\": 2, \"tail\": 3";
        let expected = |src: &[u8; 16]| {
            let flags = if cfg!(target_endian = "little") { 2 << 1 | 1 } else { 1 << 7 | 2 };
            [&src[..], &[0, 80, 6, flags, 3, 0, 0, 0]].concat()
        };
        let mut src = [0; 16];
        src[..4].copy_from_slice(&[10, 0, 0, 1]);
        for union in [
            "\"src\": \"0x0a000001\"",
            "\"srcv6\": [167772161, 0, 0, 0]",
            "\"\": {\"src\": 167772161, \"srcv6\": [167772161, 0, 0, 0]}",
        ] {
            let key = tuple_key(&format!("{{{union}, {rest}}}")).unwrap();
            assert_eq!(key.bytes, expected(&src), "{union}");
        }
        let key = tuple_key(&format!("{{\"src\": 1, {rest}}}")).unwrap();
        let said = assumed_zero(&key.assumed).unwrap();
        assert!(said.starts_with("bytes 4 to 15, bytes 21 to 23 taken to be zero"), "{said}");
        for (union, why) in [
            (
                "\"src\": 1, \"srcv6\": [2, 0, 0, 0]",
                "`src` and `srcv6[0]` lie over each other, and contradict",
            ),
            ("\"proto\": 6", "is there twice"),
        ] {
            let error = Given::parse(&format!("{{{union}, {rest}}}"))
                .map_err(Failure::usage)
                .and_then(|given| super::key(&given, 24, || Ok(tuple())));
            assert!(error.clone().unwrap_err().message.contains(why), "{union}: {error:?}");
        }
        assert!(tuple_key(&format!("{{{rest}}}")).unwrap_err().message.contains("`src` is not named"));
    }

    #[test]
    fn what_bpftool_prints_can_be_pasted() {
        let value = "{\"comm\": \"bash\", \"expires\": 1000, \"dport\": 80, \"code\": 42, \"seen\": 7}";
        let window = owner_window(value).unwrap();
        let expected = [&b"bash\0\0\0\0"[..], &[0, 0, 3, 0xe8, 0, 80, 42, 0], &7_u64.to_ne_bytes()].concat();
        assert_eq!((window.offset, &window.expected), (0, &expected));
        assert!(assumed_zero(&window.assumed).unwrap().starts_with("byte 15 taken"));
        for entry in [
            format!("{{\"key\": 5, \"value\": {value}}}"),
            format!("{{\"formatted\": {{\"key\": 5, \"value\": {value}}}, \"key\": [1]}}"),
        ] {
            assert_eq!(owner_window(&entry).unwrap().expected, expected, "{entry}");
        }
        let raw: Vec<_> = expected.iter().map(|byte| format!("\"0x{byte:02x}\"")).collect();
        let raw = format!("{{\"key\": [\"0x05\"], \"value\": [{}]}}", raw.join(","));
        assert_eq!(owner_window(&raw).unwrap().expected, expected);
    }

    #[test]
    fn a_value_that_is_one_number_takes_it() {
        let window = |text: &str| {
            window(&Given::parse(text).unwrap(), whole(), 8, || Ok(number())).map(|window| window.expected)
        };
        assert_eq!(window("1000"), Ok(1000_u64.to_ne_bytes().to_vec()));
        assert_eq!(window("42"), Ok(42_u64.to_ne_bytes().to_vec()), "as hex it would be a byte");
        assert_eq!(window("hex 2a 00 00 00 00 00 00 00"), Ok(vec![0x2a, 0, 0, 0, 0, 0, 0, 0]));
        assert!(window("0x2a").unwrap_err().message.contains("1 bytes given, values of this map have 8"));
        assert!(window("x").is_err());
        let failure = number().field("x").unwrap_err();
        assert!(failure.contains("gc --offset 0 --type u64"), "{failure}");
    }
}
