// SPDX-License-Identifier: MIT OR Apache-2.0
//! JSON as people paste it: members in their order, and none lost where a name comes twice, as the empty one of unnamed
//! unions does in what bpftool prints.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// A JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A whole number.
    Number(i128),
    /// A string.
    String(String),
    /// `[…]`.
    Array(Vec<Self>),
    /// `{…}`, in order.
    Object(Vec<(String, Self)>),
}

impl Json {
    /// Reads one. Hex without quotes, as bpftool prints bit-fields for people, is a string. One comma may stand behind an object, as
    /// where it is one of several.
    ///
    /// # Errors
    /// A sentence that says where it is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let object = text.trim_end().strip_suffix(',').filter(|object| object.trim_end().ends_with('}'));
        let text = object.filter(|object| object.trim_start().starts_with('{')).unwrap_or(text);
        serde_json::from_str(&with_quotes(text)).map_err(|e| format!("not JSON: {e}"))
    }

    /// What `bpftool map dump` prints for people of an entry without BTF, `key: 0a 00  value: 2a 00`, as what it prints in JSON; of
    /// one of its parts alone the other is null.
    #[must_use]
    pub fn of_dump(text: &str) -> Option<Self> {
        let mut parts: Vec<(String, Vec<Self>)> = Vec::new();
        let text = text.trim_end();
        for word in text.strip_suffix("Found 1 element").unwrap_or(text).split_whitespace() {
            if let Some(name) = word.strip_suffix(':') {
                let is_new = ["key", "value"].contains(&name) && parts.iter().all(|(own, _)| own != name);
                is_new.then(|| parts.push((name.into(), Vec::new())))?;
                continue;
            }
            let is_byte = word.len() == 2 && word.bytes().all(|b| b.is_ascii_hexdigit());
            let (_, bytes) = parts.last_mut().filter(|_| is_byte)?;
            bytes.push(Self::String(format!("0x{word}")));
        }
        let is_entry = !parts.is_empty() && parts.iter().all(|(_, bytes)| !bytes.is_empty());
        let other = parts.first().filter(|_| parts.len() == 1);
        let other = other.map(|(name, _)| (if name == "key" { "value" } else { "key" }.into(), Self::Null));
        let arrays = parts.into_iter().map(|(name, bytes)| (name, Self::Array(bytes)));
        is_entry.then(|| Self::Object(arrays.chain(other).collect()))
    }

    /// The member of that name, of an object.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().find(|(own, _)| own == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The bytes of an array such as `["0x2a", "0x00"]`, as bpftool prints keys and values.
    #[must_use]
    pub fn bytes(&self) -> Option<Vec<u8>> {
        let Self::Array(items) = self else { return None };
        let byte = |item: &Self| match item {
            Self::String(text) => {
                let digits = text.strip_prefix("0x").filter(|digits| (1..=2).contains(&digits.len()))?;
                let all = digits.bytes().all(|b| b.is_ascii_hexdigit());
                all.then(|| u8::from_str_radix(digits, 16).ok()).flatten()
            }
            _ => None,
        };
        let bytes: Option<Vec<u8>> = items.iter().map(byte).collect();
        bytes.filter(|bytes| !bytes.is_empty())
    }
}

/// With quotes around each `0x1f` that stands where a value does.
fn with_quotes(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    let (mut in_string, mut before) = (false, ' ');
    while let Some(c) = rest.chars().next() {
        let digits = rest.strip_prefix("0x").filter(|_| !in_string && [':', '[', ','].contains(&before));
        let len = digits.map_or(0, |digits| digits.bytes().take_while(u8::is_ascii_hexdigit).count());
        let escape = in_string && c == '\\';
        let size = match len {
            0 if escape => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
            0 => c.len_utf8(),
            len => 2 + len,
        };
        let (token, after) = rest.split_at(size);
        match len {
            0 => out += token,
            _ => out.extend(["\"", token, "\""]),
        }
        in_string ^= c == '"';
        if !c.is_whitespace() {
            before = c;
        }
        rest = after;
    }
    out
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(truth) => write!(f, "{truth}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::String(text) => write!(f, "{text:?}"),
            Self::Array(_) => f.write_str("an array"),
            Self::Object(_) => f.write_str("an object"),
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Read)
    }
}

struct Read;

impl<'de> Visitor<'de> for Read {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Json, E> {
        Ok(Json::Bool(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Json, E> {
        Err(E::custom(
            "a number with a point or an exponent, or of more than 64 bits, is not a whole number of 64 bits",
        ))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element()? {
            all.push(item);
        }
        Ok(Json::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut all: Vec<(String, Json)> = Vec::new();
        while let Some((name, value)) = members.next_entry::<String, Json>()? {
            if !is_unnamed(&name) && all.iter().any(|(own, _)| *own == name) {
                return Err(A::Error::custom(format_args!("`{name}` is there twice")));
            }
            all.push((name, value));
        }
        Ok(Json::Object(all))
    }
}

/// How a struct or union without a name is named in JSON.
#[must_use]
pub fn is_unnamed(name: &str) -> bool {
    name.is_empty() || name == "(anon)"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_order_and_none_is_lost() {
        let json = Json::parse(r#"{"b": 1, "": {"x": 1}, "a": [true, null, "t"], "": {"y": -2}}"#).unwrap();
        let Json::Object(members) = &json else { panic!("{json:?}") };
        assert_eq!(members.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["b", "", "a", ""]);
        assert_eq!(json.get("b"), Some(&Json::Number(1)));
        assert_eq!(Json::parse("18446744073709551615"), Ok(Json::Number(u64::MAX.into())));
        for (text, why) in [
            (r#"{"a": 1, "a": 1}"#, "`a` is there twice"),
            ("{\"a\": 1.5}", "not a whole number"),
            ("{a}", "not JSON"),
            ("[1] 2", "not JSON"),
        ] {
            let error = Json::parse(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
        for (text, quoted) in [
            ("{\"a\": 0x1f}", "{\"a\": \"0x1f\"}"),
            ("[0x1,0x2\n]", "[\"0x1\",\"0x2\"\n]"),
            ("{\"a\": \"\\\\\", \"b\": 0x1}", "{\"a\": \"\\\\\", \"b\": \"0x1\"}"),
        ] {
            assert_eq!(Json::parse(text), Json::parse(quoted), "{text}");
            assert!(Json::parse(text).is_ok(), "{text}");
        }
        assert_eq!(Json::parse("{\"a\": 1},\n"), Json::parse("{\"a\": 1}"));
        for text in ["{\"a\": 1},,", "[1],", "1,", "{\"a\": 1}, {\"a\": 2}", ",{\"a\": 1}", "[{}, ],"] {
            assert!(Json::parse(text).is_err(), "{text}");
        }
        for text in
            ["{\"a\": 0x}", "{\"a\": 0xg}", "{\"a\": 0x1 2}", "{\"a\": -0x1}", "{\"a\": 10x1}", "{0x1: 1}"]
        {
            assert!(Json::parse(text).is_err(), "{text}");
        }
        assert_eq!(Json::parse("[\"a 0x1\"]"), Ok(Json::Array(vec![Json::String("a 0x1".into())])));
        let deep = "[".repeat(100_000);
        assert!(Json::parse(&deep).is_err(), "no overflow of the stack");
    }

    #[test]
    fn arrays_of_hex_bytes_are_bytes() {
        let bytes = |text| Json::parse(text).unwrap().bytes();
        assert_eq!(bytes(r#"["0x2a","0x0"]"#), Some(vec![0x2a, 0]));
        for text in ["[]", "[1]", r#"["2a"]"#, r#"["0x"]"#, r#"["0x2a2a"]"#, r#"["0x+1"]"#, r#""0x2a""#] {
            assert_eq!(bytes(text), None, "{text}");
        }
    }
}
