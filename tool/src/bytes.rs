// SPDX-License-Identifier: MIT OR Apache-2.0
//! What `--key` and `--expect` take, before the map is known.

use std::path::PathBuf;

use serde_json::Value;

/// A key or expected bytes as the user gave them.
#[derive(Clone, Debug, PartialEq)]
pub enum Given {
    /// `-`: the bytes of standard input.
    Stdin,
    /// `@FILE`: the bytes of a file.
    File(PathBuf),
    /// `{…}` or `[…]`: needs the map's BTF.
    Json(Value),
    /// Bytes, typed integers, or a plain number.
    Literal(Literal),
}

/// Text that is bytes, a plain number, or both: `42` is the byte 0x42, and with `--field` the number 42.
#[derive(Clone, Debug, PartialEq)]
pub struct Literal {
    /// As bytes, or why it is none.
    pub bytes: Result<Vec<u8>, String>,
    /// As a plain decimal number.
    pub number: Option<i128>,
}

impl Given {
    /// Reads one argument.
    ///
    /// # Errors
    /// A sentence that names the part at fault.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "-" {
            return Ok(Self::Stdin);
        }
        if let Some(path) = text.strip_prefix('@') {
            return if path.is_empty() {
                Err("`@` wants a file name".into())
            } else {
                Ok(Self::File(path.into()))
            };
        }
        if text.starts_with(['{', '[']) {
            return serde_json::from_str(text).map(Self::Json).map_err(|e| format!("not JSON: {e}"));
        }
        let literal = Literal { bytes: parse_bytes(text), number: parse_number(text) };
        match literal {
            Literal { bytes: Err(why), number: None } => Err(why),
            literal => Ok(Self::Literal(literal)),
        }
    }
}

/// Bytes from a list of two-digit hex bytes, `0x…` strings and typed integers, joined in the order written.
///
/// # Errors
/// A sentence that names the part at fault.
pub fn parse_bytes(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    for word in text.split_whitespace() {
        parse_word(word, &mut bytes)?;
    }
    if bytes.is_empty() { Err("no bytes given".into()) } else { Ok(bytes) }
}

fn parse_word(word: &str, out: &mut Vec<u8>) -> Result<(), String> {
    if let Some((kind, number)) = word.split_once(':') {
        return parse_typed(kind, number, out).map_err(|why| format!("`{word}`: {why}"));
    }
    let digits = match word.strip_prefix("0x") {
        Some(digits) if !digits.is_empty() => digits,
        Some(_) => return Err("`0x`: hex digits must follow".into()),
        None if word.len() == 2 => word,
        None => {
            return Err(format!(
                "`{word}` is no byte of two hex digits; a number needs its type, as u32:{word}, and a string of hex \
                 bytes begins with 0x"
            ));
        }
    };
    if let Some(bad) = digits.chars().find(|c| !c.is_ascii_hexdigit()) {
        return Err(format!("`{word}`: `{bad}` is no hex digit"));
    }
    if !digits.len().is_multiple_of(2) {
        return Err(format!("`{word}`: {} hex digits make no whole bytes", digits.len()));
    }
    for pair in digits.as_bytes().chunks_exact(2) {
        let nibble =
            |c: u8| char::from(c).to_digit(16).and_then(|d| u8::try_from(d).ok()).unwrap_or_default();
        out.push(nibble(pair[0]) << 4 | nibble(pair[1]));
    }
    Ok(())
}

/// The types of integers: name, bytes, network order.
const TYPES: [(&str, usize, bool); 7] = [
    ("u8", 1, false),
    ("u16", 2, false),
    ("u32", 4, false),
    ("u64", 8, false),
    ("u16be", 2, true),
    ("u32be", 4, true),
    ("u64be", 8, true),
];

fn parse_typed(kind: &str, number: &str, out: &mut Vec<u8>) -> Result<(), String> {
    let Some(&(_, size, network)) = TYPES.iter().find(|(name, ..)| *name == kind) else {
        let names: Vec<_> = TYPES.iter().map(|(name, ..)| *name).collect();
        return Err(format!("`{kind}` is no type; there are {}", names.join(", ")));
    };
    let (digits, radix) = number.strip_prefix("0x").map_or((number, 10), |hex| (hex, 16));
    // `from_str_radix` would take a sign.
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return Err("an unsigned number must follow, decimal or 0x…".into());
    }
    let value = u128::from_str_radix(digits, radix).unwrap_or(u128::MAX);
    let bytes = encode(i128::try_from(value).unwrap_or(i128::MAX), size, false)
        .ok_or_else(|| format!("does not fit {} bits", size * 8))?;
    if network {
        out.extend(to_network_order(bytes));
    } else {
        out.extend(bytes);
    }
    Ok(())
}

/// Bytes in native order to bytes in network order.
fn to_network_order(mut bytes: Vec<u8>) -> Vec<u8> {
    if cfg!(target_endian = "little") {
        bytes.reverse();
    }
    bytes
}

/// A plain decimal number.
#[must_use]
pub fn parse_number(text: &str) -> Option<i128> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

/// A number as an integer of `size` bytes (1 to 8) in native order; `None` where it does not fit.
#[must_use]
pub fn encode(number: i128, size: usize, signed: bool) -> Option<Vec<u8>> {
    if !(1..=8).contains(&size) {
        return None;
    }
    let bits = size * 8;
    let range = if signed { -(1 << (bits - 1))..1 << (bits - 1) } else { 0..1_i128 << bits };
    if !range.contains(&number) {
        return None;
    }
    let bytes = number.to_ne_bytes();
    Some(if cfg!(target_endian = "little") { bytes[..size].to_vec() } else { bytes[16 - size..].to_vec() })
}

/// The inverse of [`encode`]; `None` for any other length.
#[must_use]
pub fn decode(bytes: &[u8], signed: bool) -> Option<i128> {
    if !(1..=8).contains(&bytes.len()) {
        return None;
    }
    let most_significant = if cfg!(target_endian = "little") { bytes[bytes.len() - 1] } else { bytes[0] };
    let fill = if signed && most_significant >= 0x80 { 0xff } else { 0 };
    let mut whole = [fill; 16];
    if cfg!(target_endian = "little") {
        whole[..bytes.len()].copy_from_slice(bytes);
    } else {
        whole[16 - bytes.len()..].copy_from_slice(bytes);
    }
    Some(i128::from_ne_bytes(whole))
}

/// Bytes as bpftool prints them: `0a 00 00 01`.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read() {
        let rows: [(&str, &[u8]); 14] = [
            ("0a 00 00 01", &[10, 0, 0, 1]),
            ("0x0a 0x00", &[10, 0]),
            ("0x0a000001", &[10, 0, 0, 1]),
            ("  0A\tfF \n", &[10, 255]),
            ("u8:255", &[255]),
            ("u16:0x102", &0x102_u16.to_ne_bytes()),
            ("u32:42", &42_u32.to_ne_bytes()),
            ("u64:18446744073709551615", &[255; 8]),
            ("u16be:80", &[0, 80]),
            ("u32be:0x0a000001", &[10, 0, 0, 1]),
            ("u64be:1", &[0, 0, 0, 0, 0, 0, 0, 1]),
            ("u32be:0x0a000001 u16be:80 06 0x00", &[10, 0, 0, 1, 0, 80, 6, 0]),
            ("u8:007", &[7]),
            ("00", &[0]),
        ];
        for (text, bytes) in rows {
            assert_eq!(parse_bytes(text).as_deref(), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn what_is_no_bytes_says_why() {
        let rows = [
            ("", "no bytes"),
            ("   ", "no bytes"),
            ("a", "two hex digits"),
            ("100", "as u32:100"),
            ("0a000001", "begins with 0x"),
            ("0x", "must follow"),
            ("0xabc", "3 hex digits"),
            ("0xzz", "`z` is no hex digit"),
            ("zz", "`z` is no hex digit"),
            ("0a,00", "no byte"),
            ("é", "no hex digit"),
            ("u8:256", "does not fit 8 bits"),
            ("u16:65536", "does not fit 16 bits"),
            ("u32be:0x100000000", "does not fit 32 bits"),
            ("u64:18446744073709551616", "does not fit 64 bits"),
            ("u64:999999999999999999999999999999999999999999999", "does not fit 64 bits"),
            ("u8:-1", "unsigned"),
            ("u8:+1", "unsigned"),
            ("u8:", "unsigned"),
            ("u8:0x", "unsigned"),
            ("u8:1.5", "unsigned"),
            ("u8be:1", "no type"),
            ("i32:1", "no type"),
            ("U8:1", "no type"),
            (":1", "no type"),
        ];
        for (text, why) in rows {
            let error = parse_bytes(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn arguments_are_sorted_by_their_first_characters() {
        assert_eq!(Given::parse("-"), Ok(Given::Stdin));
        assert_eq!(Given::parse("@/tmp/x y"), Ok(Given::File("/tmp/x y".into())));
        assert_eq!(Given::parse("{\"a\": 1}"), Ok(Given::Json(serde_json::json!({"a": 1}))));
        assert_eq!(Given::parse("[1]"), Ok(Given::Json(serde_json::json!([1]))));
        assert!(Given::parse("@").unwrap_err().contains("file name"));
        assert!(Given::parse("{a}").unwrap_err().contains("not JSON"));
        assert!(Given::parse("").unwrap_err().contains("no bytes"));
    }

    #[test]
    fn digits_are_a_byte_and_a_number() {
        let literal = |text: &str| match Given::parse(text) {
            Ok(Given::Literal(literal)) => (literal.bytes.ok(), literal.number),
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(literal("42"), (Some(vec![0x42]), Some(42)));
        assert_eq!(literal("4200"), (None, Some(4200)));
        assert_eq!(literal("-5"), (None, Some(-5)));
        assert_eq!(literal("0x42"), (Some(vec![0x42]), None));
        assert_eq!(literal("42 00"), (Some(vec![0x42, 0]), None));
        assert_eq!(literal("u8:1"), (Some(vec![1]), None));
    }

    #[test]
    fn numbers_go_there_and_back() {
        for (number, size, signed) in [
            (0, 1, false),
            (255, 1, false),
            (-128, 1, true),
            (127, 1, true),
            (-1, 4, true),
            (i128::from(u64::MAX), 8, false),
            (i128::from(i64::MIN), 8, true),
            (70_000, 3, false),
        ] {
            let bytes = encode(number, size, signed).unwrap();
            assert_eq!((bytes.len(), decode(&bytes, signed)), (size, Some(number)));
        }
        for (number, size, signed) in
            [(256, 1, false), (-1, 8, false), (128, 1, true), (-129, 1, true), (1, 0, false), (1, 9, false)]
        {
            assert_eq!(encode(number, size, signed), None, "{number} {size} {signed}");
        }
        assert_eq!(encode(0x0102, 2, false).unwrap(), 0x0102_u16.to_ne_bytes());
        assert_eq!((decode(&[], false), decode(&[0; 9], false)), (None, None));
    }
}
