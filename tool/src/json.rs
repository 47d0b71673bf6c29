// SPDX-License-Identifier: MIT OR Apache-2.0
//! JSON to bytes by BTF. An object names fields; what it does not name is not compared.

use serde_json::{Map, Value};

use crate::btf::Kind;
use crate::bytes::{encode, parse_bytes};
use crate::layout::{Layout, Place};

/// Bytes and where they lie.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    path: String,
    offset: usize,
    bytes: Vec<u8>,
}

/// The window that a JSON value for `place` names: its offset in the whole, and its bytes.
///
/// # Errors
/// A sentence, if a field is not there or does not take the value, or if the fields named do not make one window.
pub fn window(layout: &Layout, place: Place, json: &Value) -> Result<(usize, Vec<u8>), String> {
    let mut pieces = Vec::new();
    collect(layout, place, "", json, &mut pieces)?;
    pieces.sort_by_key(|piece| piece.offset);
    let mut pieces = pieces.into_iter();
    let Some(mut window) = pieces.next() else { return Err("the JSON names no field".into()) };
    for piece in pieces {
        let end = window.offset + window.bytes.len();
        if piece.offset < end {
            return Err(format!("`{}` and `{}` overlap: name one of them", window.path, piece.path));
        }
        if piece.offset > end {
            return Err(format!(
                "`{}` and `{}` are {} bytes apart, and a window is one run of bytes: name what lies between as well, \
                 or use --field for one of them, or --offset with bytes",
                window.path,
                piece.path,
                piece.offset - end,
            ));
        }
        window.bytes.extend(piece.bytes);
        window.path = piece.path;
    }
    Ok((window.offset, window.bytes))
}

/// A whole key. Every field has to be named; padding between them is zero.
///
/// # Errors
/// As [`window`], and if a field is not named.
pub fn whole(layout: &Layout, json: &Value) -> Result<Vec<u8>, String> {
    let place = layout.whole()?;
    let mut pieces = Vec::new();
    collect(layout, place, "", json, &mut pieces)?;
    let mut bytes = vec![0; place.size];
    let mut named = vec![false; place.size];
    for piece in pieces {
        let range = piece.offset..piece.offset + piece.bytes.len();
        if let (Some(to), Some(seen)) = (bytes.get_mut(range.clone()), named.get_mut(range)) {
            to.copy_from_slice(&piece.bytes);
            seen.fill(true);
        }
    }
    let missing =
        layout.leaves(&(0..place.size)).into_iter().find(|leaf| !named[leaf.place.range()].contains(&true));
    match missing {
        Some(leaf) => Err(format!("a key is whole, and `{}` is not named", leaf.path)),
        None => Ok(bytes),
    }
}

/// A number as the type at `place` takes it.
///
/// # Errors
/// Where the type is no number, or the number does not fit it.
pub fn number(layout: &Layout, place: Place, number: i128) -> Result<Vec<u8>, String> {
    let signed = match layout.resolve(place.ty)?.kind {
        Kind::Int { signed, .. } | Kind::Enum { signed, .. } => signed,
        Kind::Pointer => false,
        _ => return Err(format!("{} takes no number", layout.type_name(place.ty))),
    };
    encode(number, place.size, signed)
        .ok_or_else(|| format!("{number} does not fit {} ({} bytes)", layout.type_name(place.ty), place.size))
}

fn collect(
    layout: &Layout,
    place: Place,
    path: &str,
    json: &Value,
    out: &mut Vec<Piece>,
) -> Result<(), String> {
    let kind = &layout.resolve(place.ty)?.kind;
    let bytes = match (kind, json) {
        (Kind::Struct { .. }, Value::Object(fields)) => {
            return collect_fields(layout, place, path, fields, out);
        }
        (Kind::Array { count, .. }, Value::Array(items)) => {
            if items.len() != *count as usize {
                return Err(at(path, &format!("an array of {count}, and {} are given", items.len())));
            }
            for (i, item) in items.iter().enumerate() {
                collect(layout, layout.element(place, i)?, &format!("{path}[{i}]"), item, out)?;
            }
            return Ok(());
        }
        (Kind::Enum { signed, values, .. }, Value::String(text)) => {
            match layout.enumerator_value(values, text) {
                Some(value) => encode(value, place.size, *signed).ok_or_else(|| at(path, "does not fit"))?,
                None => sized(path, place, text)?,
            }
        }
        (_, Value::String(text)) => sized(path, place, text)?,
        (_, Value::Bool(truth)) => number(layout, place, i128::from(*truth)).map_err(|e| at(path, &e))?,
        (_, Value::Number(n)) => {
            let n = n.as_i64().map(i128::from).or_else(|| n.as_u64().map(i128::from));
            let n = n.ok_or_else(|| at(path, "not a whole number of 64 bits"))?;
            number(layout, place, n).map_err(|e| at(path, &e))?
        }
        _ => return Err(at(path, &format!("{json} is no value for {}", layout.type_name(place.ty)))),
    };
    out.push(Piece { path: path.into(), offset: place.offset, bytes });
    Ok(())
}

fn collect_fields(
    layout: &Layout,
    place: Place,
    path: &str,
    fields: &Map<String, Value>,
    out: &mut Vec<Piece>,
) -> Result<(), String> {
    for (name, value) in fields {
        let inner = layout.member(place, name)?;
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        collect(layout, inner, &path, value, out)?;
    }
    Ok(())
}

/// A string holds bytes as the command line takes them, and exactly as many as the field has.
fn sized(path: &str, place: Place, text: &str) -> Result<Vec<u8>, String> {
    let bytes = parse_bytes(text).map_err(|e| at(path, &e))?;
    if bytes.len() == place.size {
        return Ok(bytes);
    }
    Err(at(path, &format!("{} bytes given, the field has {}", bytes.len(), place.size)))
}

fn at(path: &str, why: &str) -> String {
    if path.is_empty() { why.into() } else { format!("`{path}`: {why}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{FLOW_ID, conntrack, conntrack_btf};

    fn read(json: &Value) -> Result<(usize, Vec<u8>), String> {
        let layout = conntrack();
        window(&layout, layout.whole().unwrap(), json)
    }

    #[test]
    fn an_object_is_the_window_of_the_fields_it_names() {
        let lifetime = 42_u32.to_ne_bytes();
        let packets = 7_u64.to_ne_bytes();
        let rows: [(Value, usize, Vec<u8>); 9] = [
            (json!({"lifetime": 42}), 8, lifetime.to_vec()),
            (json!({"lifetime": 42, "packets": 7}), 0, [&packets[..], &lifetime].concat()),
            (json!({"lifetime": 42, "state": "CT_CLOSING"}), 8, [&lifetime[..], &[1]].concat()),
            (json!({"state": 0}), 12, vec![0]),
            (json!({"delta": -1}), 14, vec![255, 255]),
            (json!({"port": "u16be:80"}), 16, vec![0, 80]),
            (json!({"nat": {"tag": [1, 2]}}), 20, vec![1, 2]),
            (json!({"nat": {"tag": "01 02"}}), 20, vec![1, 2]),
            (json!({"state": true}), 12, vec![1]),
        ];
        for (json, offset, bytes) in rows {
            assert_eq!(read(&json), Ok((offset, bytes)), "{json}");
        }
    }

    #[test]
    fn what_makes_no_window_says_why() {
        for (json, why) in [
            (json!({}), "names no field"),
            (json!({"packets": 7, "state": 0}), "`packets` and `state` are 4 bytes apart"),
            (json!({"state": 0, "delta": 0}), "1 bytes apart"),
            (json!({"port": 1, "id": 1}), "overlap"),
            (json!({"lifetme": 1}), "no field `lifetme`"),
            (json!({"lifetime": 4_294_967_296_u64}), "does not fit __u32 (4 bytes)"),
            (json!({"lifetime": -1}), "does not fit"),
            (json!({"lifetime": 1.5}), "whole number"),
            (json!({"lifetime": null}), "is no value"),
            (json!({"lifetime": "01 02"}), "2 bytes given, the field has 4"),
            (json!({"lifetime": {"x": 1}}), "is no value"),
            (json!({"state": "CT_GONE"}), "`state`"),
            (json!({"nat": 5}), "takes no number"),
            (json!({"nat": {"tag": [1]}}), "an array of 2, and 1 are given"),
            (json!({"seen": 1}), "bit-field"),
        ] {
            let error = read(&json).unwrap_err();
            assert!(error.contains(why), "{json}: {error}");
        }
    }

    #[test]
    fn a_key_is_whole_and_its_padding_zero() {
        let flow = Layout::new(&conntrack_btf(), FLOW_ID).unwrap();
        let bytes = whole(&flow, &json!({"port": "u16be:80", "addr": "0x0a000001", "proto": 6})).unwrap();
        assert_eq!(bytes, [0, 80, 0, 0, 10, 0, 0, 1, 6, 0, 0, 0]);
        let error = whole(&flow, &json!({"port": 1, "addr": 2})).unwrap_err();
        assert!(error.contains("`proto` is not named"), "{error}");
    }

    #[test]
    fn a_key_with_a_bit_field_has_no_json() {
        let json = json!({
            "packets": 1, "lifetime": 2, "state": 1, "delta": 3, "port": 4, "nat": {"mark": 5, "tag": [6, 7]}
        });
        let error = whole(&conntrack(), &json).unwrap_err();
        assert!(error.contains("`seen` is not named"), "{error}");
    }
}
