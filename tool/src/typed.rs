// SPDX-License-Identifier: MIT OR Apache-2.0
//! What people type for a field, as bytes by its type: the one place that knows byte orders, enumerators, texts and bits. What
//! could be read in two ways is refused.

use crate::btf::Kind;
use crate::bytes::{Literal, encode, hex};
use crate::image::Image;
use crate::json::{Json, is_unnamed};
use crate::layout::{Layout, Place};

/// Says in `image` what `json` says of the field at `place`. An object names fields; what it does not name is left open.
///
/// # Errors
/// A sentence: a field is not there, does not take the value, or is contradicted.
pub fn json(layout: &Layout, place: Place, path: &str, json: &Json, image: &mut Image) -> Result<(), String> {
    let at = |why: String| at(path, &why);
    match (&layout.resolve(place.ty)?.kind, json) {
        (Kind::Struct { .. }, Json::Object(members)) => members_of(layout, place, path, members, image),
        (Kind::Array { count, .. }, Json::Array(items)) => {
            if items.len() != *count as usize {
                return Err(at(format!("an array of {count}, and {} are given", items.len())));
            }
            items.iter().enumerate().try_for_each(|(i, item)| {
                self::json(layout, layout.element(place, i)?, &format!("{path}[{i}]"), item, image)
            })
        }
        (_, Json::String(text)) => image.put(place, path, &self::text(layout, place, text).map_err(at)?),
        (_, Json::Bool(truth)) => {
            let bytes = number(layout, place, i128::from(*truth)).map_err(at)?;
            image.put(place, path, &bytes)
        }
        (_, Json::Number(n)) => image.put(place, path, &number(layout, place, *n).map_err(at)?),
        _ => Err(at(format!("{json} is no value for {}", layout.type_name(place.ty)))),
    }
}

fn members_of(
    layout: &Layout,
    place: Place,
    path: &str,
    members: &[(String, Json)],
    image: &mut Image,
) -> Result<(), String> {
    let mut unnamed = 0;
    for (name, value) in members {
        if is_unnamed(name) {
            json(layout, layout.unnamed_member(place, unnamed)?, path, value, image)?;
            unnamed += 1;
            continue;
        }
        let inner = layout.member(place, name)?;
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        json(layout, inner, &path, value, image)?;
    }
    Ok(())
}

/// What a word of the command line, or a string in JSON, is for the field at `place`.
///
/// # Errors
/// A sentence: it is nothing that the field takes, or two things.
pub fn text(layout: &Layout, place: Place, text: &str) -> Result<Vec<u8>, String> {
    literal(layout, place, &Literal::parse(text), false)
}

/// What a word of the command line is for the field at `place`; digits alone are a number there.
///
/// # Errors
/// As of [`text`].
pub fn word(layout: &Layout, place: Place, given: &Literal) -> Result<Vec<u8>, String> {
    literal(layout, place, given, true)
}

fn literal(layout: &Layout, place: Place, given: &Literal, numbers: bool) -> Result<Vec<u8>, String> {
    let kind = &layout.resolve(place.ty)?.kind;
    let is_number = matches!(kind, Kind::Int { .. } | Kind::Enum { .. });
    if let (Some(bits), true) = (place.bits, is_number) {
        // bpftool prints bits as a string, in hex.
        let number = given.number.filter(|_| numbers).or_else(|| given.hex_number());
        let number = number.or_else(|| enumerator(layout, kind, &given.text));
        let number = number.ok_or_else(|| {
            let how = if numbers { "decimal, or 0x…" } else { "without quotes, or 0x… in them" };
            format!("`{}` is no number of {} bits: write it {how}", given.text, bits.count)
        })?;
        return self::number(layout, place, number);
    }
    if let (Some(number), true, true) = (given.number, numbers, is_number) {
        return self::number(layout, place, number);
    }
    if let Some(number) = enumerator(layout, kind, &given.text) {
        let bytes = self::number(layout, place, number)?;
        return match &given.bytes {
            Ok(other) if other.len() == place.size && *other != bytes => Err(two(given, "an enumerator")),
            _ => Ok(bytes),
        };
    }
    let characters = characters(layout, place, given);
    let bytes = bytes(layout, place, given);
    // What is said to be a text may begin like that by itself, as bpftool prints it; what is not may be meant as something else.
    let is_plain = match given.text.strip_prefix(TEXT) {
        Some(said) => numbers || needs_saying(said),
        None => !(needs_saying(&given.text) || numbers && given.number.is_some()),
    };
    match (bytes, characters) {
        (Ok(bytes), None) => Ok(bytes),
        (Ok(bytes), Some(text)) if bytes == text => Ok(bytes),
        (Err(_), Some(text)) if is_plain => Ok(text),
        (_, Some(_)) => Err(two(given, "a text")),
        (Err(why), None) => Err(match (numbers || given.number.is_none(), is_number) {
            (false, true) => format!("{why}; a number is written without quotes"),
            _ => why,
        }),
    }
}

/// What says that the rest is a text.
const TEXT: &str = "text:";

/// A text that could be meant as something else: bytes, or with the quotes or the operator of another language.
fn needs_saying(text: &str) -> bool {
    let literal = Literal::parse(text);
    literal.bytes.is_ok() && !literal.is_one_word()
        || text.starts_with(['"', '\'', '=', '!', '~', '<', '>'])
        || text.ends_with(['"', '\''])
}

fn enumerator(layout: &Layout, kind: &Kind, name: &str) -> Option<i128> {
    match kind {
        Kind::Enum { values, .. } => layout.enumerator_value(values, name),
        _ => None,
    }
}

fn two(given: &Literal, other: &str) -> String {
    format!(
        "`{0}` can be bytes and can be {other}: write `hex {0}` or 0x… for bytes, `text:{0}` for a text, or its number",
        given.text
    )
}

/// As characters, where the field is a row of them: what is left of it is zero.
fn characters(layout: &Layout, place: Place, given: &Literal) -> Option<Vec<u8>> {
    if given.is_hex() {
        return None;
    }
    let said = given.text.strip_prefix(TEXT);
    let text = said.unwrap_or(&given.text).as_bytes();
    let fits = match layout.resolve(place.ty).map(|ty| &ty.kind) {
        // A row of bytes may be anything: that it is a text has to be said.
        Ok(Kind::Array { element, .. }) => {
            let is_byte =
                layout.resolve(*element).is_ok_and(|ty| matches!(ty.kind, Kind::Int { size: 1, .. }));
            is_byte && (said.is_some() || layout.is_character(*element)) && text.len() <= place.size
        }
        _ => layout.is_character(place.ty) && text.len() == 1 && place.bits.is_none(),
    };
    fits.then(|| {
        let mut bytes = text.to_vec();
        bytes.resize(place.size, 0);
        bytes
    })
}

/// As bytes, as many as the field has, and in the order that it has where they are said to be in one.
fn bytes(layout: &Layout, place: Place, given: &Literal) -> Result<Vec<u8>, String> {
    let bytes = given.bytes.clone()?;
    if bytes.len() != place.size {
        return Err(format!(
            "{} bytes given ({}), the field has {}",
            bytes.len(),
            hex(bytes.get(..16).unwrap_or(&bytes)),
            place.size
        ));
    }
    given.one_reading()?;
    if place.size == 16
        && given.text.starts_with("0x")
        && matches!(layout.resolve(place.ty)?.kind, Kind::Int { .. })
    {
        return Err(format!(
            "`{}` can be a number, as bpftool prints integers of 128 bits, and bytes in this order: write each byte as 0x…",
            given.text
        ));
    }
    in_order(layout, place.offset, given)?;
    Ok(bytes)
}

/// Whether integers that are said to be in this machine's order lie where no field is in another.
///
/// # Errors
/// One lies in a field of the other order.
pub fn in_order(layout: &Layout, offset: usize, given: &Literal) -> Result<(), String> {
    for (at, size) in given.native_integers() {
        let range = offset + at..offset + at + size;
        let swapped = layout.leaves(&range).into_iter().find(|leaf| {
            let element = match layout.resolve(leaf.place.ty).map(|ty| &ty.kind) {
                Ok(Kind::Array { element, .. }) => *element,
                _ => leaf.place.ty,
            };
            layout.order(element).is_swapped()
        });
        let Some(leaf) = swapped else { continue };
        let name = if cfg!(target_endian = "little") {
            "network order: u16be, u32be"
        } else {
            "little-endian order"
        };
        return Err(format!(
            "`{}` is in this machine's order, and the field ({}) in {name}; or write the number alone",
            given.text, leaf.type_name
        ));
    }
    Ok(())
}

/// A number as the field at `place` takes it; of a bit-field, its bits where they lie in its bytes.
///
/// # Errors
/// Where it takes none, or not that one.
pub fn number(layout: &Layout, place: Place, number: i128) -> Result<Vec<u8>, String> {
    let signed = match layout.resolve(place.ty)?.kind {
        Kind::Int { signed, .. } | Kind::Enum { signed, .. } => signed,
        Kind::Pointer => false,
        _ => return Err(format!("{} takes no number", layout.type_name(place.ty))),
    };
    let does_not_fit = |room: String| {
        let type_name = layout.type_name(place.ty);
        format!("{number} does not fit {type_name} ({room})")
    };
    let Some(bits) = place.bits else {
        let mut bytes = encode(number, place.size, signed)
            .ok_or_else(|| does_not_fit(format!("{} bytes", place.size)))?;
        if layout.order(place.ty).is_swapped() {
            bytes.reverse();
        }
        return Ok(bytes);
    };
    let count = u32::try_from(bits.count).unwrap_or(u32::MAX).min(64);
    let range = if signed { -(1_i128 << count >> 1)..1_i128 << count >> 1 } else { 0..1_i128 << count };
    if !range.contains(&number) {
        return Err(does_not_fit(format!("{} bits", bits.count)));
    }
    let mut bytes = vec![0; place.size];
    for (at, bit, _) in bits.each().filter(|(.., weight)| number >> weight.min(&126) & 1 == 1) {
        if let Some(byte) = at.checked_sub(place.offset).and_then(|at| bytes.get_mut(at)) {
            *byte |= bit;
        }
    }
    Ok(bytes)
}

fn at(path: &str, why: &str) -> String {
    if path.is_empty() { why.into() } else { format!("`{path}`: {why}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{conntrack, owner, tuple};

    fn field(layout: &Layout, path: &str, text: &str) -> Result<Vec<u8>, String> {
        word(layout, layout.field(path).unwrap(), &Literal::parse(text))
    }

    #[test]
    fn numbers_are_put_into_the_order_of_their_type() {
        for (path, text, bytes) in [
            ("dport", "80", vec![0, 80]),
            ("expires", "1000", vec![0, 0, 3, 0xe8]),
            ("dport", "u16be:80", vec![0, 80]),
            ("dport", "0x0050", vec![0, 80]),
            ("seen", "1000", 1000_u64.to_ne_bytes().to_vec()),
            ("seen", "u64:1000", 1000_u64.to_ne_bytes().to_vec()),
            ("code", "42", vec![42]),
        ] {
            assert_eq!(field(&owner(), path, text), Ok(bytes), "{path} {text}");
        }
        let error = field(&owner(), "dport", "u16:80").unwrap_err();
        assert!(
            error.contains("in this machine's order, and the field (__be16) in network order"),
            "{error}"
        );
        assert_eq!(owner().show(owner().field("dport").unwrap(), &[0, 80]), "80");
    }

    #[test]
    fn enumerators_and_texts_are_what_a_field_takes() {
        assert_eq!(field(&conntrack(), "state", "CT_CLOSING"), Ok(vec![1]));
        assert_eq!(field(&conntrack(), "state", "1"), Ok(vec![1]));
        let text = |text: &str| field(&owner(), "comm", text);
        assert_eq!(text("bash"), Ok(b"bash\0\0\0\0".to_vec()));
        assert_eq!(text("text:42 00"), Ok(b"42 00\0\0\0".to_vec()));
        assert_eq!(text(" a "), Ok(b" a \0\0\0\0\0".to_vec()), "blanks are part of a text");
        assert_eq!(text("hex 00 01 02 03 04 05 06 07"), Ok(vec![0, 1, 2, 3, 4, 5, 6, 7]));
        for two in ["10 20", "u8:1", "0x2a2a", "42", "\"bash\"", "'bash'", "=bash", "~bash"] {
            assert!(text(two).unwrap_err().contains("can be bytes and can be a text"), "{two}");
        }
        assert!(text("much too long").unwrap_err().contains("two hex digits"));
        assert!(field(&conntrack(), "state", "CT_GONE").unwrap_err().contains("two hex digits"));
    }

    #[test]
    fn strings_are_not_read_as_numbers() {
        let string = |path, text| super::text(&owner(), owner().field(path).unwrap(), text);
        assert!(string("code", "42").unwrap_err().contains("hex, as bpftool prints"));
        assert_eq!(string("code", "0x2a"), Ok(vec![42]));
        assert!(string("seen", "1000").unwrap_err().contains("without quotes"));
        assert_eq!(string("comm", "42"), Ok(b"42\0\0\0\0\0\0".to_vec()), "as bpftool prints it");
        assert_eq!(string("comm", "text:10 20"), Ok(b"10 20\0\0\0".to_vec()));
        assert!(string("comm", "text:a").unwrap_err().contains("can be a text"));
        let bits = |text| super::text(&tuple(), tuple().field("client").unwrap(), text);
        assert!(bits("10").unwrap_err().contains("without quotes"));
        assert!(bits("0x2a").is_ok());
    }

    #[test]
    fn a_row_of_bytes_is_no_text_unless_that_is_said() {
        let tag = |text| field(&conntrack(), "nat.tag", text);
        assert_eq!(tag("text:ab"), Ok(b"ab".to_vec()));
        for text in ["ab", "42", "-1", "xy"] {
            assert!(tag(text).is_err(), "{text}");
        }
        assert_eq!(tag("0x6162"), Ok(b"ab".to_vec()));
    }

    #[test]
    fn bits_are_put_where_they_lie() {
        let layout = tuple();
        let place = |path| layout.field(path).unwrap();
        let (netns, client) = (place("netns"), place("client"));
        assert_eq!((netns.offset, netns.size, client.offset), (19, 1, 19));
        let mut image = Image::new(24);
        image.put(netns, "netns", &number(&layout, netns, 1).unwrap()).unwrap();
        image.put(client, "client", &word(&layout, client, &Literal::parse("0x2a")).unwrap()).unwrap();
        let byte = image.whole().0[19];
        if cfg!(target_endian = "little") {
            assert_eq!(byte, 0x2a << 1 | 1);
        }
        assert_eq!((layout.show(netns, &[byte]), layout.show(client, &[byte])), ("1".into(), "42".into()));
        assert!(number(&layout, client, 128).unwrap_err().contains("(7 bits)"));
        assert!(number(&layout, netns, -1).is_err());
    }

    #[test]
    fn no_two_readings_and_no_panic_in_anything() {
        let mut random = fastrand::Rng::with_seed(7);
        let layouts = [conntrack(), tuple(), owner()];
        let fields = [
            "packets", "state", "delta", "nat", "seen", "src", "srcv6", "netns", "client", "comm", "dport",
            "code",
        ];
        let words = [
            "10", "0a", "0x", "0x2a", "u16:", "u16be:80", "hex", "text:", "-", "CT_OPEN", "4200", " ", "é",
            ":", "1e9", "true",
        ];
        for _ in 0..100_000 {
            let text: String = (0..random.usize(..5)).map(|_| words[random.usize(..words.len())]).collect();
            let literal = Literal::parse(&text);
            let layout = &layouts[random.usize(..layouts.len())];
            let Ok(place) = layout.field(fields[random.usize(..fields.len())]) else { continue };
            let Ok(bytes) = word(layout, place, &literal) else { continue };
            assert_eq!(bytes.len(), place.size, "{text}");
            // Of digits alone, and of a name, there is one reading: the type's. All else is bytes as they are without a type.
            let typed =
                literal.number.is_some() || literal.text.starts_with("text:") || literal.bytes.is_err();
            let known = typed || place.bits.is_some() || literal.is_one_word();
            assert!(known || literal.bytes == Ok(bytes.clone()), "{text}: {bytes:02x?}");
            assert!(known || literal.one_reading().is_ok(), "{text}");
        }
    }
}
