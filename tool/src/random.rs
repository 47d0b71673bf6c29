// SPDX-License-Identifier: MIT OR Apache-2.0
//! A hundred thousand random arguments and command lines: no panic, and no two readings. A second reader, which shares no code with
//! the first, finds all that an argument can stand for. What is accepted has to be one thing, and that one.
//!
//! `CMPDEL_SEED=8 CMPDEL_CASES=1000000 cargo test -p cmpdel random -- --nocapture` runs other cases, and more.

mod generate;
mod json;
mod line;
mod model;
mod other;
mod print;
mod reference;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Instant;

use fastrand::Rng;

use crate::bytes::{Given, hex};
use crate::gc::{Condition, Where};
use crate::layout::{Layout, Of};
use crate::outcome::Failure;
use crate::window::{Choice, key, new_value, window};
use json::Read;
use model::{Field, Model, Ty};
use reference::Form;

/// Where an argument stands.
#[derive(Clone, Debug)]
enum Door {
    /// `--key`; with BTF, or without.
    Key(bool),
    /// `--expect`, of a whole value.
    Value(bool),
    /// `--expect` with `--offset`, and perhaps `--size`.
    Offset(usize, Option<usize>),
    /// `--expect` with `--field`.
    Field(String, Field),
    /// `--where`: the field, the sign with blanks around it.
    Where(String, Field, &'static str),
}

/// An argument.
#[derive(Clone, Debug)]
struct Case {
    /// Of which layout.
    model: usize,
    door: Door,
    text: String,
}

/// What the first reader made of it.
#[derive(Clone, Debug, PartialEq)]
enum Answer {
    /// Bytes, from there on.
    Bytes(usize, Vec<u8>),
    /// A condition.
    Holds(Condition),
    File,
}

type Reader = fn(&Model, &Case) -> Result<Answer, String>;

fn choice(door: &Door) -> Choice<'_> {
    let narrow = |n: usize| u32::try_from(n).unwrap();
    match door {
        Door::Offset(offset, size) => {
            Choice { offset: Some(narrow(*offset)), size: size.map(narrow), ..Choice::default() }
        }
        Door::Field(path, _) => Choice { field: Some(path), ..Choice::default() },
        _ => Choice::default(),
    }
}

/// cmpdel.
fn cmpdel(model: &Model, case: &Case) -> Result<Answer, String> {
    let size = u32::try_from(model.whole.size).unwrap();
    if let Door::Where(path, _, sign) = &case.door {
        let given: Where = format!("value.{path}{sign}{}", case.text).parse()?;
        assert_eq!(given.of, Of::Value);
        return Condition::new(&given, &model.layout).map(Answer::Holds).map_err(|failure| failure.message);
    }
    let given = Given::parse(&case.text)?;
    if matches!(given, Given::File(_) | Given::Stdin) {
        return Ok(Answer::File);
    }
    let has_btf = !matches!(case.door, Door::Key(false) | Door::Value(false));
    let layout = || -> Result<Layout, Failure> {
        if has_btf { Ok(model.layout.clone()) } else { Err(Failure::usage("no BTF")) }
    };
    let message = |failure: Failure| failure.message;
    if let Door::Key(_) = case.door {
        return key(&given, size, layout).map(|key| Answer::Bytes(0, key.bytes)).map_err(message);
    }
    let window = window(&given, choice(&case.door), size, layout).map_err(message)?;
    let at = window.offset as usize;
    // A new value is read as the old one is.
    let new = new_value(&given, choice(&case.door), &window, size, layout).map_err(message)?;
    let zeros = vec![0; model.whole.size];
    let range = at..at + window.expected.len();
    assert_eq!(new.over(&zeros)[range], window.expected, "--value is read as --expect is: {case:?}");
    Ok(Answer::Bytes(at, window.expected))
}

/// The second reader.
fn second(model: &Model, case: &Case) -> Read {
    let (dump, whole) = (json::of_dump(&case.text), &model.whole);
    let text = dump.as_ref().unwrap_or(&case.text);
    let is_json =
        |text: &str| text.trim_start().starts_with(['{', '[', '"']) && reference::c_list(text).is_none();
    if let Door::Where(_, field, _) = &case.door {
        let text = text.trim();
        return match text {
            "-" => Read::File,
            _ if text.starts_with(['=', '!', '~', '<', '>', '\'']) => Read::Two,
            _ if text.starts_with('@') => Read::File,
            _ if is_json(text) => json::part_of(model, field, text),
            _ => match json::asked(field, text) {
                Read::One { form: Form::Text, .. } if reference::can_be_several(text) => Read::Two,
                read => read,
            },
        };
    }
    if text == "-" || text.starts_with('@') {
        return Read::File;
    }
    let part = if let Door::Key(_) = case.door { "key" } else { "value" };
    match &case.door {
        Door::Field(_, field) if is_json(text) => json::in_field(model, field, text),
        Door::Field(_, field) => json::word(field, text),
        Door::Key(true) | Door::Value(true) if is_json(text) => json::whole(model, part, text),
        Door::Key(true) | Door::Value(true) => {
            Read::of(0, &reference::readings(&whole.ty, whole.size, text, true))
        }
        Door::Key(false) | Door::Value(false) if is_json(text) => json::raw(text, part, 0),
        Door::Key(false) | Door::Value(false) => {
            let mut all = reference::bytes_of_anything(text);
            all.retain(|(_, bytes)| bytes.len() == whole.size);
            Read::of(0, &all)
        }
        Door::Offset(offset, _) if is_json(text) => json::raw(text, part, *offset),
        Door::Offset(offset, _) => Read::of(*offset, &reference::at_offset(whole, *offset, text)),
        Door::Where(..) => Read::None,
    }
}

/// What both say of a case: whether it was accepted, in which form, or why that is wrong.
fn judge(model: &Model, case: &Case, reader: Reader) -> Result<(bool, Option<Form>), String> {
    let read = second(model, case);
    let form = if let Read::One { form, .. } = &read { Some(*form) } else { None };
    let answer = match (reader(model, case), &read) {
        (Err(why), _) if why.is_empty() => return Err("it is refused without a word".into()),
        (Err(_), _) => return Ok((false, form)),
        (Ok(answer), _) => answer,
    };
    let is_right = match (&answer, &read) {
        (Answer::File, Read::File) => true,
        (Answer::Bytes(at, bytes), Read::One { at: own_at, bytes: own, .. }) => (at, bytes) == (own_at, own),
        (Answer::Holds(condition), Read::One { at, bytes, mask, .. }) => {
            let not = matches!(case.door, Door::Where(_, _, sign) if sign.contains('!'));
            holds(model, condition, *at, bytes, mask) == Some(!not)
        }
        _ => false,
    };
    if !is_right {
        return Err(format!("it is accepted as {answer:02x?}, and is {read:02x?}"));
    }
    if let Answer::Bytes(at, bytes) = &answer {
        again(model, case, *at, bytes, form, reader)?;
    }
    Ok((true, form))
}

/// What a condition says of a value with these bytes, if it says the opposite of one with another bit in any of them.
fn holds(model: &Model, condition: &Condition, at: usize, bytes: &[u8], mask: &[u8]) -> Option<bool> {
    let mut value = vec![0; model.whole.size];
    value[at..at + bytes.len()].copy_from_slice(bytes);
    let holds = condition.holds(&[], &value);
    for (i, mask) in mask.iter().enumerate() {
        for bit in (0..8).map(|bit| 1 << bit) {
            value[at + i] ^= bit;
            let differs = condition.holds(&[], &value) != holds;
            value[at + i] ^= bit;
            if differs != (mask & bit != 0) {
                return None;
            }
        }
    }
    Some(holds)
}

/// Blanks around it change nothing, and what is printed of it is read as the same.
fn again(
    model: &Model,
    case: &Case,
    at: usize,
    bytes: &[u8],
    form: Option<Form>,
    reader: Reader,
) -> Result<(), String> {
    let read = |text: String| reader(model, &Case { text, ..case.clone() });
    let same = Answer::Bytes(at, bytes.to_vec());
    if !matches!(form, Some(Form::Text | Form::Said)) {
        match read(format!(" {}\n", case.text)) {
            Ok(other) if other != same => {
                return Err(format!("with blanks around it is {other:02x?}, not {same:02x?}"));
            }
            _ => {}
        }
    }
    let Door::Field(path, field) = &case.door else { return Ok(()) };
    let printed = match field.ty {
        Ty::Int { .. } | Ty::Enum { .. } => {
            let shown = model.layout.show(model.layout.field(path)?, bytes);
            shown.split(' ').next().unwrap_or_default().to_owned()
        }
        _ => format!("hex {}", hex(bytes)),
    };
    match read(printed.clone()) {
        Ok(other) if other == same => Ok(()),
        // An enumerator that is a byte in hex as well.
        Err(_) if matches!(field.ty, Ty::Enum { .. }) => Ok(()),
        other => Err(format!("it is printed as `{printed}`, which is {other:02x?}")),
    }
}

/// The next case.
fn next(random: &mut Rng, structs: &[Model], singles: usize) -> (bool, Case) {
    let model = random.usize(..structs.len());
    let of = &structs[model];
    let paths = &of.paths;
    let door = random.u32(..100);
    let (is_single, case) = match door {
        0..45 | 90.. => {
            let (path, field) = generate::one_of(random, paths).clone();
            let text = generate::word(random, &field);
            let sign = *generate::one_of(random, &["=", "!=", " = ", " != "]);
            let door = if door < 45 { Door::Field(path, field) } else { Door::Where(path, field, sign) };
            (false, Case { model, door, text })
        }
        45..55 => {
            let offset = random.usize(..of.whole.size + 1);
            let len = random.usize(1..10);
            let size = [None, None, Some(len)][random.usize(..3)];
            (false, Case { model, door: Door::Offset(offset, size), text: generate::bytes(random, len) })
        }
        55..65 => {
            let model = random.usize(..singles);
            let field = model::SINGLES[model];
            let text = generate::word(random, &field);
            let btf = random.u32(..4) > 0;
            let door = if random.bool() { Door::Key(btf) } else { Door::Value(btf) };
            (true, Case { model, door, text })
        }
        65..70 => {
            let btf = random.bool();
            let door = if random.bool() { Door::Key(btf) } else { Door::Value(btf) };
            (false, Case { model, door, text: generate::bytes(random, of.whole.size) })
        }
        _ => {
            let (door, part) =
                if random.bool() { (Door::Key(true), "key") } else { (Door::Value(true), "value") };
            let is_entry = random.u32(..4) == 0 && cfg!(target_endian = "little");
            let text =
                if is_entry { generate::entry(random, of, part) } else { generate::value(random, &of.whole) };
            (false, Case { model, door, text })
        }
    };
    let text = generate::slip(random, case.text);
    (is_single, Case { text, ..case })
}

/// How many were accepted and refused, by what the second reader says of them.
type Counts = BTreeMap<String, (u64, u64)>;

/// Runs the cases of a seed.
fn run(seed: u64, cases: u64, reader: Reader) -> Result<Counts, String> {
    let (mut random, mut counts) = (Rng::with_seed(seed), Counts::new());
    let (structs, singles) = (model::structs(), model::singles());
    for i in 0..cases {
        let (is_single, case) = next(&mut random, &structs, singles.len());
        let models = if is_single { &singles } else { &structs };
        let told = Told::new(seed, i, &case);
        let (accepted, form) = judge(&models[case.model], &case, reader)
            .map_err(|why| format!("CMPDEL_SEED={seed}, case {i}: {why}\n{case:?}"))?;
        drop(told);
        let form = form.map_or_else(
            || if accepted { "File" } else { "no form, or two" }.into(),
            |form| format!("{form:?}"),
        );
        count(&mut counts, &form, accepted);
    }
    Ok(counts)
}

fn count(counts: &mut Counts, what: &str, accepted: bool) {
    let (yes, no) = counts.entry(what.to_owned()).or_default();
    *(if accepted { yes } else { no }) += 1;
}

/// Tells the case if it ends in a panic.
struct Told<'a>(u64, u64, &'a dyn fmt::Debug);

impl<'a> Told<'a> {
    fn new(seed: u64, case: u64, what: &'a dyn fmt::Debug) -> Self {
        Self(seed, case, what)
    }
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Self(seed, case, what) = self;
            eprintln!("CMPDEL_SEED={seed}, case {case}: {what:?}");
        }
    }
}

fn from_environment(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |value| value.parse().unwrap())
}

mod tests;
