// SPDX-License-Identifier: MIT OR Apache-2.0
//! A second reader, which shares no code with the first. For each documented form it decides by itself whether a word has that form,
//! and which bytes it then stands for. It knows no precedence: a word that has two forms has two readings.

use super::model::{Field, Order, Ty};

/// A form that a word can have, or that somebody can take it to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// Words of two hex digits, as bpftool prints bytes, or behind `hex`.
    Hex,
    /// `0x…`: bytes in the order written.
    String,
    /// `u32:5`.
    Typed,
    /// Several of these.
    Mixed,
    /// The same words, as bpftool takes them, or with the digits as a C compiler reads them, or in the order of the field.
    Otherwise,
    /// A decimal number.
    Number,
    Enumerator,
    Text,
    /// `text:…`
    Said,
    /// `0x…` as bpftool prints bit-fields, pointers and integers of 128 bits, and as people write any number.
    Printed,
    Json,
    /// As bpftool prints a whole entry.
    Entry,
    /// A file or standard input: not read here.
    File,
}

/// What a word is for a field, in a form.
pub type Reading = (Form, Vec<u8>);

/// A plain decimal number: digits without a zero before them, and a sign.
pub fn decimal(text: &str) -> Option<i128> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let all = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit());
    if !all || digits.len() > 1 && digits.starts_with('0') { None } else { text.parse().ok() }
}

/// An integer in the order of a field.
pub fn integer(number: i128, size: usize, signed: bool, order: Order) -> Option<Vec<u8>> {
    let (low, high) = if signed {
        (-(1_i128 << (8 * size - 1)), (1_i128 << (8 * size - 1)) - 1)
    } else {
        (0, u64::MAX as i128 >> (64 - 8 * size))
    };
    let is_big = order == Order::Big || order == Order::Native && cfg!(target_endian = "big");
    (low..=high).contains(&number).then(|| match is_big {
        true => number.to_be_bytes()[16 - size..].to_vec(),
        false => number.to_le_bytes()[..size].to_vec(),
    })
}

/// The bits of a bit-field in its bytes.
pub fn bits(number: u128, first: usize, count: usize, size: usize) -> Vec<u8> {
    if cfg!(target_endian = "little") {
        (number << first).to_le_bytes()[..size].to_vec()
    } else {
        (number << (8 * size - first - count)).to_be_bytes()[16 - size..].to_vec()
    }
}

/// A number as a field takes it.
pub fn number(number: i128, ty: &Ty, size: usize) -> Option<Vec<u8>> {
    match *ty {
        Ty::Int { signed, order } => integer(number, size, signed, order),
        Ty::Char => integer(number, 1, true, Order::Native),
        Ty::Enum { signed, .. } => integer(number, size, signed, Order::Native),
        Ty::Pointer => integer(number, 8, false, Order::Native),
        Ty::Bits { first, count, signed } => {
            let half = 1_i128 << (count - 1);
            let range = if signed { -half..half } else { 0..2 * half };
            let mask = (1_u128 << count) - 1;
            range.contains(&number).then(|| bits(number.cast_unsigned() & mask, first, count, size))
        }
        _ => None,
    }
}

/// How a list of words is read.
#[derive(Clone, Copy, Default)]
struct As<'a> {
    /// Digits are decimal where nothing says hex: bpftool's own arguments.
    taken: bool,
    /// A zero before a number means octal.
    octal: bool,
    /// Which integers in this machine's order are put into the other, by their first byte and size.
    swapped: Option<&'a dyn Fn(usize, usize) -> bool>,
    /// `0x…` is a number where it is as long as an integer that lies there: the order of that, by its first byte and size.
    numbers: Option<&'a dyn Fn(usize, usize) -> Option<Order>>,
}

fn typed(word: &str, at: usize, how: As<'_>) -> Option<Vec<u8>> {
    let (kind, digits) = word.split_once(':')?;
    let (size, order) = match kind {
        "u8" => (1, Order::Native),
        "u16" => (2, Order::Native),
        "u32" => (4, Order::Native),
        "u64" => (8, Order::Native),
        "u16be" => (2, Order::Big),
        "u32be" => (4, Order::Big),
        "u64be" => (8, Order::Big),
        _ => return None,
    };
    let (digits, radix) = match digits.strip_prefix("0x") {
        Some(hex) => (hex, 16),
        None if how.octal && digits.len() > 1 && digits.starts_with('0') => (digits, 8),
        None => (digits, 10),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let mut bytes = integer(i128::from_str_radix(digits, radix).ok()?, size, false, order)?;
    if order == Order::Native && how.swapped.is_some_and(|swapped| swapped(at, size)) {
        bytes.reverse();
    }
    Some(bytes)
}

/// `{0x0a, 0x00}` and `0xa 0x0`, as a C compiler and bpftool read them.
pub fn c_list(text: &str) -> Option<Vec<u8>> {
    let text = text.trim();
    let inner = match (text.strip_prefix('{'), text.strip_suffix('}')) {
        (Some(_), Some(_)) => &text[1..text.len() - 1],
        (None, None) => text,
        _ => return None,
    };
    let byte = |item: &str| {
        let digits = item.trim().strip_prefix("0x").filter(|digits| digits.len() < 3)?;
        u8::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))
    };
    let by_comma: Option<Vec<u8>> = inner.split(',').map(byte).collect();
    by_comma
        .or_else(|| inner.split_whitespace().map(byte).collect())
        .filter(|bytes: &Vec<u8>| bytes.len() > 1)
}

/// Words as bytes, and the form that they have.
fn words(text: &str, how: As<'_>) -> Option<Reading> {
    if let Some(bytes) = c_list(text) {
        return Some((Form::String, bytes));
    }
    let mut all: Vec<&str> = text.split_whitespace().collect();
    let said = all.first() == Some(&"hex");
    if said {
        all.remove(0);
    }
    let is_plain = |word: &&str| word.len() == 2 && word.chars().all(|c| c.is_ascii_hexdigit());
    // What is no number to a C compiler, with its zero in front or without.
    let says_hex = |word: &&str| {
        is_plain(word) && (word.contains(|c: char| c.is_alphabetic()) || *word == "08" || *word == "09")
    };
    let hex = said || all.iter().any(says_hex);
    let (mut bytes, mut forms) = (Vec::new(), Vec::new());
    for word in &all {
        let form = if word.contains(':') && !said {
            bytes.extend(typed(word, bytes.len(), how)?);
            Form::Typed
        } else if let Some(digits) = word.strip_prefix("0x") {
            if digits.is_empty() || digits.len() % 2 == 1 || !digits.chars().all(|c| c.is_ascii_hexdigit()) {
                return None;
            }
            let of = how.numbers.filter(|_| !said).and_then(|of| of(bytes.len(), digits.len() / 2));
            let as_number =
                |order| integer(i128::from_str_radix(digits, 16).ok()?, digits.len() / 2, false, order);
            match of.and_then(as_number) {
                Some(number) => bytes.extend(number),
                None => {
                    for i in (0..digits.len()).step_by(2) {
                        bytes.push(u8::from_str_radix(&digits[i..i + 2], 16).ok()?);
                    }
                }
            }
            Form::String
        } else if said && word.len() % 2 == 0 && word.chars().all(|c| c.is_ascii_hexdigit()) {
            for i in (0..word.len()).step_by(2) {
                bytes.push(u8::from_str_radix(&word[i..i + 2], 16).ok()?);
            }
            Form::Hex
        } else if is_plain(word) {
            let radix = if how.taken && !hex { 10 } else { 16 };
            bytes.push(u8::from_str_radix(word, radix).ok()?);
            Form::Hex
        } else {
            return None;
        };
        forms.push(form);
    }
    let first = *forms.first()?;
    let is_otherwise = how.taken || how.octal || how.swapped.is_some() || how.numbers.is_some();
    let form = match forms.iter().all(|form| *form == first) {
        _ if is_otherwise => Form::Otherwise,
        true => first,
        false => Form::Mixed,
    };
    Some((form, bytes))
}

/// Words as bytes, in every way; `swapped` says of which bytes the order is not this machine's.
pub fn all_bytes(text: &str, swapped: &dyn Fn(usize, usize) -> bool) -> Vec<Reading> {
    let mut all = Vec::new();
    for taken in [false, true] {
        for octal in [false, true] {
            for swapped in [None, Some(swapped)] {
                all.extend(words(text, As { taken, octal, swapped, numbers: None }));
            }
        }
    }
    all
}

/// Words as bytes where nothing is known of what they are for.
pub fn bytes_of_anything(text: &str) -> Vec<Reading> {
    all_bytes(text, &|_, _| false)
}

/// The same of what lies at an offset of a value, where `0x…` can be a number, too.
fn of_fields(ty: &Ty, size: usize, offset: usize, text: &str) -> Vec<Reading> {
    let swapped = |at, len| touches_other(ty, 0, offset + at..offset + at + len);
    let numbers = |at, len| order_of(ty, 0, size, &(offset + at..offset + at + len));
    let mut all = all_bytes(text, &swapped);
    all.extend(words(text, As { numbers: Some(&numbers), ..As::default() }));
    all
}

/// The order of the integer that lies there, all of it and nothing besides.
fn order_of(ty: &Ty, start: usize, size: usize, range: &std::ops::Range<usize>) -> Option<Order> {
    match ty {
        Ty::Struct(fields) => {
            fields.iter().find_map(|field| order_of(&field.ty, start + field.at, field.size, range))
        }
        Ty::List { of, each } => (0..size / each).find_map(|i| order_of(of, start + i * each, *each, range)),
        Ty::Int { order, .. } if *range == (start..start + size) => Some(*order),
        Ty::Enum { .. } | Ty::Pointer | Ty::Float if *range == (start..start + size) => Some(Order::Native),
        _ => None,
    }
}

fn bytes(text: &str, size: usize, swapped: &dyn Fn(usize, usize) -> bool) -> Vec<Reading> {
    all_bytes(text, swapped).into_iter().filter(|(_, bytes)| bytes.len() == size).collect()
}

/// What a word is for a field: of the command line, where digits alone are a number (`line`), or a string in JSON.
pub fn readings(ty: &Ty, size: usize, text: &str, line: bool) -> Vec<Reading> {
    let mut all = Vec::new();
    let takes_numbers =
        matches!(ty, Ty::Int { .. } | Ty::Char | Ty::Enum { .. } | Ty::Bits { .. } | Ty::Lost | Ty::Pointer);
    let word = text.trim_matches([' ', '\t', '\n', '\r', '\u{c}']);
    let given = decimal(word).filter(|_| line && takes_numbers);
    if let Some(given) = given {
        all.extend(number(given, ty, size).map(|bytes| (Form::Number, bytes)));
        if matches!(ty, Ty::Lost) {
            all.extend(integer(given, size, false, Order::Big).map(|bytes| (Form::Number, bytes)));
            all.extend(integer(given, size, false, Order::Little).map(|bytes| (Form::Number, bytes)));
        }
    } else if !matches!(ty, Ty::Bits { .. } | Ty::Struct(_)) || is_whole_bytes(ty, size) {
        let is_other = is_other(ty);
        all.extend(bytes(text, size, &|_, _| is_other));
    }
    if let Ty::Struct(_) | Ty::List { .. } = ty {
        all.extend(of_fields(ty, size, 0, text).into_iter().filter(|(_, bytes)| bytes.len() == size));
    }
    if let Ty::Enum { names, .. } = ty {
        let value = names.iter().find(|(name, _)| *name == word).map(|(_, value)| *value);
        all.extend(value.and_then(|value| number(value, ty, size)).map(|bytes| (Form::Enumerator, bytes)));
    }
    if let (Ty::Float, true) = (ty, line) {
        all.extend(point(text).map(|number| (Form::Number, number.to_ne_bytes().to_vec())));
    }
    if let Some(digits) = text.trim().strip_prefix("0x")
        && digits.chars().all(|c| c.is_ascii_hexdigit())
    {
        all.extend(printed(ty, size, digits).map(|bytes| (Form::Printed, bytes)));
    }
    texts(ty, size, text, line, &mut all);
    all
}

/// A number with a point that is a sum of powers of two that a float holds.
fn point(text: &str) -> Option<f32> {
    let (whole, fraction) = text.trim_start_matches('-').split_once('.')?;
    let digits = format!("{whole}{fraction}");
    let (scale, sign) = (10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?, text.starts_with('-'));
    let all = digits.chars().all(|c| c.is_ascii_digit()) && !whole.is_empty() && !fraction.is_empty();
    let (mut number, mut power) = (digits.parse::<i128>().ok().filter(|_| all)?, 0);
    // As a whole number of halves, quarters, and so on.
    while number % scale != 0 && power < 40 {
        (number, power) = (number.checked_mul(2)?, power + 1);
    }
    let held = u32::try_from(number / scale).ok().filter(|held| number % scale == 0 && *held < 1 << 24)?;
    let number =
        f32::from(u16::try_from(held >> 12).ok()?) * 4096.0 + f32::from(u16::try_from(held & 0xfff).ok()?);
    Some(if sign { -number } else { number } / 2_f32.powi(power))
}

/// `0x…` as a number, where bpftool prints one.
pub fn printed(ty: &Ty, size: usize, digits: &str) -> Option<Vec<u8>> {
    let value = u128::from_str_radix(digits, 16).ok()?;
    match ty {
        Ty::Bits { first, count, .. } => (value >> count == 0).then(|| bits(value, *first, *count, size)),
        Ty::Int { order, .. } => integer(i128::try_from(value).ok()?, size, false, *order),
        Ty::Enum { .. } => integer(i128::try_from(value).ok()?, size, false, Order::Native),
        Ty::Pointer => integer(i128::try_from(value).ok()?, 8, false, Order::Native),
        Ty::Lost | Ty::Float => integer(i128::try_from(value).ok()?, size, false, Order::Native),
        Ty::Wide => Some(value.to_ne_bytes().to_vec()),
        _ => None,
    }
}

fn texts(ty: &Ty, size: usize, text: &str, line: bool, all: &mut Vec<Reading>) {
    if text.split_whitespace().next() == Some("hex") {
        return;
    }
    let padded = |text: &str| {
        let fits = if matches!(ty, Ty::Char) { text.len() == 1 } else { text.len() <= size };
        let mut bytes = text.as_bytes().to_vec();
        bytes.resize(size, 0);
        fits.then_some(bytes)
    };
    let is_text = matches!(ty, Ty::Text | Ty::Char);
    let said = text.strip_prefix("text:").filter(|_| is_text || matches!(ty, Ty::Row));
    all.extend(said.and_then(padded).map(|bytes| (Form::Said, bytes)));
    if !is_text || line && said.is_some() {
        return;
    }
    all.extend(padded(text).map(|bytes| (Form::Text, bytes)));
    let word = text.trim();
    // The quotes or the operator of another language, taken off.
    let inner = word.trim_matches(['"', '\'']).trim_start_matches(['=', '!', '~', '<', '>']);
    if inner != word {
        all.extend(padded(inner).map(|bytes| (Form::Otherwise, bytes)));
    }
    if word == text {
        return;
    }
    // Blanks are part of a text. But what is something else without them is that, too.
    if line && (word == "-" || word.starts_with('@')) {
        all.push((Form::File, Vec::new()));
    }
    if line && decimal(word).is_some() && matches!(ty, Ty::Text) {
        all.push((Form::Number, Vec::new()));
    }
    all.extend(readings(ty, size, word, line).into_iter().filter(|(form, _)| *form != Form::Text));
}

/// Whether a text can stand for several, or for a pattern, in another language.
pub fn can_be_several(text: &str) -> bool {
    text.chars().any(|c| c.is_whitespace() || !c.is_ascii() || "|,;&()[]{}%$^*?!<>=~`'\"\\#".contains(c))
}

/// Whether a field, or each element of it, is of the other order.
pub fn is_other(ty: &Ty) -> bool {
    match ty {
        Ty::Int { order, .. } => order.is_other(),
        Ty::List { of, .. } => is_other(of),
        Ty::Lost => cfg!(target_endian = "little"),
        _ => false,
    }
}

fn touches_other(ty: &Ty, at: usize, range: std::ops::Range<usize>) -> bool {
    let Ty::Struct(fields) = ty else { return false };
    fields.iter().any(|field| {
        let start = at + field.at;
        let touches = start < range.end && range.start < start + field.size;
        touches && is_other(&field.ty) || touches_other(&field.ty, start, range.clone())
    })
}

/// Words at an offset of a value.
pub fn at_offset(whole: &Field, offset: usize, text: &str) -> Vec<Reading> {
    of_fields(&whole.ty, whole.size, offset, text)
}

fn is_whole_bytes(ty: &Ty, size: usize) -> bool {
    matches!(ty, Ty::Bits { first: 0, count, .. } if *count == 8 * size)
}
