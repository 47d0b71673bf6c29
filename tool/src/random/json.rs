// SPDX-License-Identifier: MIT OR Apache-2.0
//! The second reader's JSON.

use serde_json::Value;

use super::model::{Field, Model, Order, Ty};
use super::reference::{self, Form, Reading};

/// What the second reader makes of an argument.
#[derive(Clone, Debug, PartialEq)]
pub enum Read {
    /// It has none of the forms.
    None,
    /// In this form it is these bytes, from there on; in no other it is anything else.
    One { form: Form, at: usize, bytes: Vec<u8>, mask: Vec<u8> },
    /// It has two forms, which are not the same bytes.
    Two,
    /// A file or standard input.
    File,
}

impl Read {
    /// Of readings that all begin at `at`.
    pub fn of(at: usize, all: &[Reading]) -> Self {
        let Some((form, bytes)) = all.first().cloned() else { return Self::None };
        if all.iter().any(|(_, other)| *other != bytes) {
            return Self::Two;
        }
        Self::One { form, at, mask: vec![0xff; bytes.len()], bytes }
    }
}

/// What a word of the command line is for a field.
pub fn word(field: &Field, text: &str) -> Read {
    match Read::of(field.at, &reference::readings(&field.ty, field.size, text, true)) {
        Read::One { form, at, bytes, .. } => Read::One { form, at, bytes, mask: mask(field) },
        read => read,
    }
}

/// The same in a condition.
pub fn asked(field: &Field, text: &str) -> Read {
    match word(field, text) {
        Read::One { form, at, bytes, mut mask } => {
            mask[asked_size(field, form, text)..].fill(0);
            Read::One { form, at, bytes, mask }
        }
        read => read,
    }
}

/// How much of a field a condition asks for: a text ends with its first zero.
fn asked_size(field: &Field, form: Form, text: &str) -> usize {
    let len = match (field.ty, form) {
        (Ty::Text, Form::Text) => text.len(),
        (Ty::Text | Ty::Row, Form::Said) => text.len() - "text:".len(),
        _ => field.size,
    };
    field.size.min(len + 1)
}

/// Whose numbers they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    People,
    /// In an entry: what is in hex there, bpftool printed.
    PeopleInEntry,
    /// In a condition.
    Asking,
    Bpftool,
    /// The same, with the bytes at hand: a text ends with its first zero.
    BesideBytes,
}

/// What was said of a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    pub bytes: Vec<u8>,
    pub mask: Vec<u8>,
    pub two: bool,
}

impl Said {
    pub fn new(size: usize) -> Self {
        Self { bytes: vec![0; size], mask: vec![0; size], two: false }
    }

    fn put(&mut self, field: &Field, bytes: &[u8]) -> Option<()> {
        for (i, (byte, mask)) in bytes.iter().zip(mask(field)).enumerate() {
            let at = field.at + i;
            if (self.bytes[at] ^ byte) & self.mask[at] & mask != 0 {
                return None;
            }
            self.bytes[at] = self.bytes[at] & !mask | byte & mask;
            self.mask[at] |= mask;
        }
        Some(())
    }

    /// From the first byte of which something was said to the last.
    fn range(&self) -> Option<(usize, usize)> {
        let first = self.mask.iter().position(|mask| *mask != 0)?;
        Some((first, self.mask.iter().rposition(|mask| *mask != 0)? + 1))
    }
}

fn mask(field: &Field) -> Vec<u8> {
    match field.ty {
        Ty::Bits { first, count, .. } => reference::bits((1 << count) - 1, first, count, field.size),
        _ => vec![0xff; field.size],
    }
}

/// Says what a value in JSON is for a field; `None` where it is nothing.
pub fn say(field: &Field, value: &Value, by: By, said: &mut Said) -> Option<()> {
    let elements = |ty: Ty, size: usize, items: &[Value], said: &mut Said| {
        (items.len() == field.size / size).then_some(())?;
        items.iter().enumerate().try_for_each(|(i, item)| {
            say(&Field { at: field.at + i * size, size, ty, ..*field }, item, by, said)
        })
    };
    match (field.ty, value) {
        (Ty::Wide | Ty::Lost | Ty::Float, _) if by == By::BesideBytes => Some(()),
        (Ty::Text, Value::String(text)) if by == By::BesideBytes => {
            let bytes = [text.as_bytes(), &[0]].concat();
            let size = bytes.len().min(field.size);
            said.put(&Field { size, ..*field }, &bytes[..size])
        }
        (Ty::Struct(fields), Value::Object(members)) => members.iter().try_for_each(|(name, value)| {
            let inner = match name.as_str() {
                "" | "(anon)" => {
                    fields.iter().find(|inner| inner.name.is_empty()).map(|inner| moved(inner, field.at))
                }
                name => find(fields, field.at, name),
            };
            say(&inner?, value, by, said)
        }),
        (Ty::List { of, each }, Value::Array(items)) => elements(*of, each, items, said),
        (Ty::Row, Value::Array(items)) => {
            elements(Ty::Int { signed: false, order: Order::Native }, 1, items, said)
        }
        (Ty::Text, Value::Array(items)) => elements(Ty::Char, 1, items, said),
        (Ty::Lost, Value::Number(_)) => {
            said.two = true;
            Some(())
        }
        (ty, Value::Number(number)) => {
            let number = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))?;
            said.put(field, &reference::number(number, &printed_order(ty, by), field.size)?)
        }
        (ty, Value::Bool(truth)) => said.put(field, &reference::number(i128::from(*truth), &ty, field.size)?),
        (ty @ (Ty::Pointer | Ty::Wide | Ty::Bits { .. }), Value::String(text))
            if [By::Bpftool, By::BesideBytes, By::PeopleInEntry].contains(&by) && text.starts_with("0x") =>
        {
            said.put(field, &reference::printed(&ty, field.size, &text[2..])?)
        }
        (ty, Value::String(text)) => match Read::of(0, &reference::readings(&ty, field.size, text, false)) {
            Read::One { form, bytes, .. } => {
                let size = if by == By::Asking { asked_size(field, form, text) } else { field.size };
                said.put(&Field { size, ..*field }, &bytes[..size])
            }
            Read::Two => {
                said.two = true;
                Some(())
            }
            _ => None,
        },
        _ => None,
    }
}

fn printed_order(ty: Ty, by: By) -> Ty {
    match (ty, by) {
        (Ty::Int { signed, .. }, By::Bpftool | By::BesideBytes) => Ty::Int { signed, order: Order::Native },
        _ => ty,
    }
}

fn moved(field: &Field, by: usize) -> Field {
    Field { at: field.at + by, ..*field }
}

fn find(fields: &[Field], at: usize, name: &str) -> Option<Field> {
    fields.iter().find_map(|field| match field.ty {
        _ if field.name == name => Some(moved(field, at)),
        Ty::Struct(inner) if field.name.is_empty() => find(inner, at + field.at, name),
        _ => None,
    })
}

/// `["0x2a", "0x00"]`
fn array(value: &Value) -> Option<Vec<u8>> {
    let bytes = value.as_array()?.iter().map(|item| {
        let digits = item.as_str()?.strip_prefix("0x")?;
        let all = (1..=2).contains(&digits.len()) && digits.chars().all(|c| c.is_ascii_hexdigit());
        all.then(|| u8::from_str_radix(digits, 16).ok()).flatten()
    });
    bytes.collect::<Option<Vec<u8>>>().filter(|bytes| !bytes.is_empty())
}

/// JSON in which hex may stand without quotes.
fn parse(text: &str) -> Option<Value> {
    let text = text.trim_end();
    let object = text
        .strip_suffix(',')
        .filter(|object| text.trim_start().starts_with('{') && object.trim_end().ends_with('}'));
    let text = object.unwrap_or(text);
    let (mut parts, mut chars) = (vec![String::new()], text.chars());
    while let Some(c) = chars.next() {
        let is_string = parts.len() % 2 == 0;
        match c {
            '"' => parts.push(String::new()),
            '\\' if is_string => parts.last_mut()?.extend([c].into_iter().chain(chars.next())),
            c => parts.last_mut()?.push(c),
        }
    }
    let quoted = |(i, part): (usize, &str)| {
        let digits = part.trim_start().strip_prefix("0x").filter(|_| i > 0)?;
        let (hex, rest) =
            digits.split_at(digits.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(digits.len()));
        (!hex.is_empty()).then(|| format!("\"0x{hex}\"{rest}"))
    };
    for outside in parts.iter_mut().step_by(2) {
        let words = outside.split_inclusive([':', ',', '[']).enumerate();
        *outside = words.map(|(i, part)| quoted((i, part)).unwrap_or_else(|| part.into())).collect();
    }
    serde_json::from_str(&parts.join("\"")).ok()
}

/// The entry that a dump for people is, in JSON.
pub fn of_dump(text: &str) -> Option<String> {
    let text = text.trim();
    let text = text.strip_suffix("Found 1 element").unwrap_or(text);
    let parts = text.strip_prefix("key:").and_then(|text| text.split_once("value:"));
    let array = |part: &str| {
        let is_byte = |word: &str| word.len() == 2 && word.chars().all(|c| c.is_ascii_hexdigit());
        let apart = part.starts_with(char::is_whitespace) && part.split_whitespace().all(is_byte);
        let bytes: Vec<_> = part.split_whitespace().map(|word| format!("\"0x{word}\"")).collect();
        (apart && !bytes.is_empty()).then(|| bytes.join(","))
    };
    match (parts, text.strip_prefix("key:"), text.strip_prefix("value:")) {
        (Some((key, value)), ..) => {
            Some(format!("{{\"key\":[{}],\"value\":[{}]}}", array(key)?, array(value)?))
        }
        (_, Some(key), _) => Some(format!("{{\"key\":[{}],\"value\":null}}", array(key)?)),
        (.., value) => Some(format!("{{\"key\":null,\"value\":[{}]}}", array(value?)?)),
    }
}

/// Of a dump of one entry, that.
fn only(value: Value) -> Value {
    match value {
        Value::Array(mut items) if items.len() == 1 && items[0].is_object() => items.remove(0),
        value => value,
    }
}

/// Bytes that need no BTF.
pub fn raw(text: &str, part: &str, at: usize) -> Read {
    let value = only(parse(text).unwrap_or_default());
    let entry = value.as_object().filter(|members| members.len() > 1);
    let bytes = array(entry.and_then(|entry| entry.get(part)).unwrap_or(&value));
    bytes.map_or(Read::None, |bytes| Read::of(at, &[(Form::Json, bytes)]))
}

/// What JSON says of a whole key, or of the window of a value that it names.
pub fn whole(model: &Model, part: &str, text: &str) -> Read {
    let Some(value) = parse(text).map(only) else { return Read::None };
    let size = model.whole.size;
    let entry = value.as_object().filter(|members| {
        members.len() > 1 && members.keys().all(|name| ["key", "value", "formatted"].contains(&name.as_str()))
    });
    let said = |value: &Value, by| {
        let mut said = Said::new(size);
        say(&model.whole, value, by, &mut said).map(|()| said)
    };
    // All that somebody can take it to say.
    let mut all = Vec::new();
    let is_raw = array(entry.and_then(|entry| entry.get(part)).unwrap_or(&value));
    if let Some(bytes) = is_raw.clone().filter(|bytes| bytes.len() == size) {
        all.push(Said { bytes, mask: vec![0xff; size], two: false });
    }
    match entry {
        Some(entry) => {
            let formatted = entry.get("formatted").and_then(|formatted| formatted.get(part));
            let fields = entry.get(part).filter(|_| is_raw.is_none());
            for value in [formatted, fields].into_iter().flatten() {
                // Where the bytes are there, what cannot be read adds nothing.
                let by = if is_raw.is_some() { By::BesideBytes } else { By::Bpftool };
                all.extend(said(value, by).filter(|said| is_raw.is_none() || !said.two));
                all.extend(said(value, By::PeopleInEntry).filter(|_| is_raw.is_none()));
            }
        }
        None => all.extend(said(&value, By::People)),
    }
    let Some(first) = all.first() else { return Read::None };
    let same = |other: &Said| {
        let masks = first.mask.iter().zip(&other.mask).map(|(a, b)| a & b);
        masks.zip(first.bytes.iter().zip(&other.bytes)).all(|(mask, (a, b))| (a ^ b) & mask == 0)
    };
    if all.iter().any(|said| said.two || !same(said)) {
        return Read::Two;
    }
    let form = if entry.is_some() { Form::Entry } else { Form::Json };
    match part {
        "key" if is_there(&model.whole, 0, &first.mask) => one(form, 0, size, first),
        "key" => Read::None,
        _ => named(form, model, first),
    }
}

/// The window that was named, if no field lies in it that was not.
fn named(form: Form, model: &Model, said: &Said) -> Read {
    let Some((start, end)) = said.range() else { return Read::None };
    let paths = &model.paths;
    let leaves = paths.iter().map(|(_, field)| field).filter(|field| !matches!(field.ty, Ty::Struct(_)));
    let mut bytes = leaves.flat_map(|field| (field.at..).zip(mask(field)));
    let is_left_out = bytes.any(|(at, mask)| (start..end).contains(&at) && said.mask[at] & mask != mask);
    if is_left_out { Read::None } else { one(form, start, end, said) }
}

fn one(form: Form, start: usize, end: usize, said: &Said) -> Read {
    Read::One {
        form,
        at: start,
        bytes: said.bytes[start..end].to_vec(),
        mask: said.mask[start..end].to_vec(),
    }
}

/// Whether all of a field was named; of a union, all of one.
fn is_there(field: &Field, at: usize, named: &[u8]) -> bool {
    let at = at + field.at;
    let Ty::Struct(fields) = field.ty else {
        return mask(field).iter().zip(&named[at..]).all(|(mask, named)| named & mask == *mask);
    };
    let is_union = fields.len() > 1 && fields.iter().all(|field| field.at == 0);
    if is_union {
        fields.iter().any(|field| is_there(field, at, named))
    } else {
        fields.iter().all(|field| is_there(field, at, named))
    }
}

/// What JSON is for one field, all of it.
pub fn in_field(model: &Model, field: &Field, text: &str) -> Read {
    match said_in(model, field, text, true) {
        Read::One { at, ref bytes, .. } if (at, bytes.len()) != (field.at, field.size) => Read::None,
        read => read,
    }
}

/// What JSON is for one field, or for some of it.
pub fn part_of(model: &Model, field: &Field, text: &str) -> Read {
    said_in(model, field, text, false)
}

/// An array of bytes is as good as any. Of a window, no field that lies in it may be left out.
fn said_in(model: &Model, field: &Field, text: &str, is_window: bool) -> Read {
    let Some(value) = parse(text) else { return Read::None };
    let mut said = Said::new(model.whole.size);
    let by = if is_window { By::People } else { By::Asking };
    let is_said = say(field, &value, by, &mut said).is_some();
    let raw = array(&value).filter(|bytes| bytes.len() == field.size);
    match (is_said, raw) {
        (true, _) if said.two => Read::Two,
        (true, Some(raw)) if said.bytes[field.at..field.at + field.size] != raw => Read::Two,
        (true, _) if is_window => named(Form::Json, model, &said),
        (true, _) => said.range().map_or(Read::None, |(start, end)| one(Form::Json, start, end, &said)),
        (false, Some(raw)) => Read::of(field.at, &[(Form::Json, raw)]),
        (false, None) => Read::None,
    }
}
