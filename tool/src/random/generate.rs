// SPDX-License-Identifier: MIT OR Apache-2.0
//! What people type, from a grammar that knows the forms, and what slips make of it.

use fastrand::Rng;

use super::model::{Field, Model, Ty};
use super::print;

const NUMBERS: [&str; 30] = [
    "0",
    "1",
    "5",
    "9",
    "10",
    "42",
    "80",
    "99",
    "127",
    "128",
    "255",
    "256",
    "1000",
    "32768",
    "65535",
    "65536",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "340282366920938463463374607431768211456",
    "-1",
    "-5",
    "-128",
    "-129",
    "007",
    "010",
    "-0",
];
const WORDS: [&str; 44] = [
    "bash",
    "a",
    "b c",
    "CT_OPEN",
    "CT_CLOSING",
    "be",
    "ab",
    "cafe",
    "LOW",
    "HIGH",
    "text:",
    "text:a",
    "text:10 20",
    "text:42",
    "'bash'",
    "\"bash\"",
    "=x",
    "~x",
    "hex",
    "hex 10",
    "0x",
    "0xg",
    "u8:",
    "u24:1",
    "i32:1",
    "true",
    "null",
    "1e9",
    "1.5",
    "NaN",
    "-",
    "@f",
    "@",
    "é",
    "\u{a0}",
    "\0",
    "{",
    "[",
    "}",
    "]",
    ",",
    ":",
    "\\",
    "{}",
];
const TYPES: [(&str, usize); 8] =
    [("u8", 1), ("u16", 2), ("u32", 4), ("u64", 8), ("u16be", 2), ("u32be", 4), ("u64be", 8), ("u8be", 1)];

pub fn one_of<'a, T>(random: &mut Rng, all: &'a [T]) -> &'a T {
    &all[random.usize(..all.len())]
}

fn chance(random: &mut Rng, percent: u32) -> bool {
    random.u32(..100) < percent
}

pub fn number(random: &mut Rng) -> String {
    match random.u32(..10) {
        0..4 => (*one_of(random, &NUMBERS)).to_owned(),
        4..8 => random.u32(..256).to_string(),
        8 => random.u64(..).to_string(),
        _ => random.i64(..).to_string(),
    }
}

fn byte(random: &mut Rng) -> u8 {
    if random.bool() { random.u8(..) } else { *one_of(random, &[0, 1, 0x10, 0x20, 0x42, 0x50, 0x80, 0xff]) }
}

fn hex(random: &mut Rng, size: usize) -> String {
    (0..size).map(|_| format!("{:02x}", byte(random))).collect()
}

/// Words that are so many bytes, or hardly other than that.
pub fn bytes(random: &mut Rng, size: usize) -> String {
    let size = if chance(random, 90) { size } else { random.usize(..size + 3) };
    let spaced =
        |random: &mut Rng| (0..size).map(|_| format!("{:02x}", byte(random))).collect::<Vec<_>>().join(" ");
    let listed = |random: &mut Rng, between: &str| {
        (0..size).map(|_| format!("{:#x}", byte(random))).collect::<Vec<_>>().join(between)
    };
    match random.u32(..10) {
        0 | 1 => spaced(random),
        2 => format!("hex {}", spaced(random)),
        5 => format!("hex {}", hex(random, size)),
        6 => match random.u32(..3) {
            0 => listed(random, " "),
            1 => listed(random, ", "),
            _ => format!("{{ {} }}", listed(random, ", ")),
        },
        3 => format!("0x{}", hex(random, size)),
        4 => (0..size).map(|_| random.u8(..100).to_string()).collect::<Vec<_>>().join(" "),
        _ => {
            let (mut words, mut left) = (Vec::new(), size);
            while left > 0 {
                let (kind, len) = *one_of(random, &TYPES[..7]);
                let len = if len <= left { len } else { 1 };
                words.push(match random.u32(..4) {
                    0 => hex(random, 1),
                    1 => format!("0x{}", hex(random, len)),
                    _ if len == 1 => format!("u8:{}", byte(random)),
                    2 => format!("{kind}:0x{}", hex(random, len)),
                    _ => format!("{kind}:{}", number(random)),
                });
                left -= if words.last().is_some_and(|word| word.len() == 2) { 1 } else { len };
            }
            words.join(" ")
        }
    }
}

fn typed(random: &mut Rng, size: usize) -> String {
    let (kind, _) =
        TYPES.iter().filter(|(_, own)| *own == size || size > 8).nth(random.usize(..2)).unwrap_or(&TYPES[0]);
    format!("{kind}:{}", number(random))
}

fn text(random: &mut Rng) -> String {
    let len = random.usize(..20);
    (0..len)
        .map(|_| *one_of(random, &['a', 'b', '0', '1', '5', ' ', 'x', 'f', '_', ':', '\'', 'é', '-']))
        .collect()
}

/// What the command line says of a field.
pub fn word(random: &mut Rng, field: &Field) -> String {
    match random.u32(..14) {
        0..3 => number(random),
        3..5 => bytes(random, field.size),
        5 => typed(random, field.size),
        6 => format!("0x{}", hex(random, field.size)),
        7 => match field.ty {
            Ty::Bits { count, .. } => format!("{:#x}", random.u32(..1 << count)),
            _ => format!("{:#x}", random.u64(..) >> random.u32(..64)),
        },
        8 => (*one_of(random, &WORDS)).to_owned(),
        9 => match field.ty {
            Ty::Enum { names, .. } => one_of(random, names).0.to_owned(),
            Ty::Text | Ty::Char | Ty::Row => format!("text:{}", text(random)),
            _ => number(random),
        },
        10 => text(random),
        11 => value(random, field),
        12 => format!("\"{}\"", text(random)),
        _ => (0..random.usize(..4)).map(|_| *one_of(random, &WORDS)).collect(),
    }
}

/// The same in JSON.
pub fn value(random: &mut Rng, field: &Field) -> String {
    let list = |random: &mut Rng, ty: Ty, size: usize| {
        let len = if chance(random, 90) { field.size / size } else { random.usize(..4) };
        let field = Field { size, ty, ..*field };
        format!("[{}]", (0..len).map(|_| value(random, &field)).collect::<Vec<_>>().join(","))
    };
    match field.ty {
        _ if chance(random, 4) => {
            (*one_of(random, &["null", "true", "false", "1.5", "-0", "[]", "{}", "\"\"", "1e3", "{"])).into()
        }
        Ty::Struct(fields) if chance(random, 90) => object(random, fields),
        Ty::List { of, each } if chance(random, 80) => list(random, *of, each),
        Ty::Row | Ty::Text if chance(random, 40) => list(random, Ty::Char, 1),
        Ty::Text if chance(random, 10) => format!("\"text:{}\"", bytes(random, 4)),
        Ty::Text | Ty::Char if chance(random, 60) => format!("\"{}\"", text(random)),
        _ if chance(random, 8) => format!("[{}]", vec!["\"0x2a\""; field.size].join(",")),
        Ty::Enum { names, .. } if chance(random, 70) => format!("\"{}\"", one_of(random, names).0),
        Ty::Float | Ty::Wide | Ty::Struct(_) => format!("\"0x{}\"", hex(random, field.size)),
        _ if chance(random, 60) => {
            random.u64(..).checked_shr(random.u32(32..80)).unwrap_or_default().to_string()
        }
        _ if chance(random, 50) => number(random),
        _ => {
            let word = if random.bool() { bytes(random, field.size) } else { typed(random, field.size) };
            format!("\"{word}\"")
        }
    }
}

fn object(random: &mut Rng, fields: &[Field]) -> String {
    let is_union = fields.len() > 1 && fields.iter().all(|field| field.at == 0);
    // A run of fields, all of them, or any.
    let from = random.usize(..fields.len());
    let run = from..from + random.usize(1..4);
    let share = *one_of(random, &[0, 100, 100, 50]);
    let mut members = Vec::new();
    for (i, field) in fields.iter().enumerate() {
        let is_in =
            if share == 0 { run.contains(&i) } else { chance(random, if is_union { 50 } else { share }) };
        if is_in {
            let name = if chance(random, 1) { "nope" } else { field.name };
            members.push(match field.ty {
                // Of a struct without a name, its fields may stand for themselves.
                Ty::Struct(_) if field.name.is_empty() && random.bool() => {
                    value(random, field).trim_matches(['{', '}']).to_owned()
                }
                _ => format!("\"{name}\": {}", value(random, field)),
            });
        }
    }
    if chance(random, 20) {
        random.shuffle(&mut members);
    }
    if chance(random, 2) && !members.is_empty() {
        members.push(members[0].clone());
    }
    format!(
        "{{{}}}",
        members.iter().filter(|member| !member.is_empty()).cloned().collect::<Vec<_>>().join(", ")
    )
}

/// What bpftool prints of a whole entry of which that part is `model`; also with one of its halves changed by somebody.
pub fn entry(random: &mut Rng, model: &Model, part: &str) -> String {
    let mut bytes: Vec<u8> = (0..model.whole.size).map(|_| byte(random)).collect();
    if random.bool() {
        bytes.iter_mut().for_each(|byte| *byte &= 0x6f);
    }
    let printed = print::print(&model.whole, &bytes).map(|printed| printed.to_string()).unwrap_or_default();
    if chance(random, 10) {
        let at = random.usize(..bytes.len());
        bytes[at] ^= 1 << random.u32(..8);
    }
    let raw = bytes.iter().map(|byte| format!("\"0x{byte:02x}\"")).collect::<Vec<_>>().join(",");
    let other = if part == "key" { "value" } else { "key" };
    let hex = bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
    match random.u32(..8) {
        5 if random.bool() => format!("{part}: {hex}"),
        5 if part == "key" => format!("key: {hex}  value: 01 02\nFound 1 element"),
        5 => format!("key:\n01 02\nvalue:\n{hex}\n"),
        6 => format!("[{{\"{other}\": [\"0x01\"], \"{part}\": [{raw}]}}]"),
        // For people, bit-fields have no quotes.
        7 => format!("[{{\"{other}\": 5, \"{part}\": {}}}]", without_quotes(&printed)),
        0 => format!("{{\"{other}\": [\"0x01\"], \"{part}\": [{raw}]}}"),
        1 => format!("{{\"{other}\": 5, \"{part}\": {printed}}}"),
        2 => format!("{{\"{other}\": 1, \"formatted\": {{\"{other}\": 1, \"{part}\": {printed}}}}}"),
        3 => format!(
            "{{\"{part}\": {printed}, \"formatted\": {{\"{part}\": {}}}}}",
            value(random, &model.whole)
        ),
        _ => format!(
            "{{\"{part}\": [{raw}],\"{other}\": [\"0x01\"],\"formatted\": {{\"{part}\": {printed},\"{other}\": 1}}}}"
        ),
    }
}

fn without_quotes(printed: &str) -> String {
    let parts: Vec<&str> = printed.split('"').collect();
    let is_hex =
        |part: &str| part.strip_prefix("0x").is_some_and(|hex| hex.chars().all(|c| c.is_ascii_hexdigit()));
    let mut out = String::new();
    for (i, part) in parts.iter().enumerate() {
        let quote = if i % 2 == 1 && !is_hex(part) { "\"" } else { "" };
        out.extend([quote, part, quote]);
    }
    out
}

/// One slip of the hand, or several.
pub fn mutate(random: &mut Rng, bytes: &mut Vec<u8>) {
    for _ in 0..random.usize(1..4) {
        let at = random.usize(..=bytes.len());
        let inside = at.min(bytes.len().saturating_sub(1));
        match random.u32(..9) {
            0 if !bytes.is_empty() => bytes[inside] ^= 1 << random.u32(..8),
            1 if !bytes.is_empty() => drop(bytes.remove(inside)),
            2 if bytes.len() > 1 => {
                let other = random.usize(..bytes.len());
                bytes.swap(inside, other);
            }
            3 => bytes.insert(at, *one_of(random, b"0159af xu:-+.,\"'{}[]=!@\0\xff")),
            4 => bytes.splice(at..at, one_of(random, &WORDS).bytes()).for_each(drop),
            5 => bytes.splice(at..at, number(random).into_bytes()).for_each(drop),
            6 => bytes.truncate(at),
            7 if chance(random, 5) => *bytes = bytes.repeat(200),
            7 => bytes.insert(0, b' '),
            _ => bytes.push(*one_of(random, b" \t\n0")),
        }
    }
}

/// The text, which now and then has slips.
pub fn slip(random: &mut Rng, text: String) -> String {
    if !chance(random, 25) {
        return text;
    }
    let mut bytes = text.into_bytes();
    mutate(random, &mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}
