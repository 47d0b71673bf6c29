// SPDX-License-Identifier: MIT OR Apache-2.0
//! Ages, numbers of options, types of integers, paths of fields.

use fastrand::Rng;

use super::generate::{number, one_of, slip};
use super::model::{Model, Ty};
use super::reference::decimal;
use crate::bytes::{parse_count, parse_number};
use crate::gc::{Age, IntType, Threshold, Unit};

/// Units of ages: names, nanoseconds.
const UNITS: [(&[&str], u128); 10] = [
    (&["ns", "nsec", "nanos"], 1),
    (&["us", "usec", "µs"], 1_000),
    (&["ms", "msec", "millis"], 1_000_000),
    (&["s", "sec", "secs", "second", "seconds"], 1_000_000_000),
    (&["m", "min", "mins", "minute", "minutes"], 60_000_000_000),
    (&["h", "hr", "hrs", "hour", "hours"], 3_600_000_000_000),
    (&["d", "day", "days"], 86_400_000_000_000),
    (&["w", "wk", "wks", "week", "weeks"], 604_800_000_000_000),
    (&["month", "months"], 2_630_016_000_000_000),
    (&["y", "yr", "yrs", "year", "years"], 31_557_600_000_000_000),
];

/// What is read here.
const KINDS: [&str; 4] = ["age", "count", "type", "path"];

fn age(random: &mut Rng) -> String {
    let part = |random: &mut Rng| {
        let unit = {
            let names = one_of(random, &UNITS).0;
            *one_of(random, names)
        };
        let digits = match random.u32(..8) {
            0 => format!("{}.{}", random.u32(..20), random.u32(..1000)),
            1 => number(random),
            2 => format!("{} {}", random.u32(..10), random.u32(..10)),
            _ => random.u32(..400).to_string(),
        };
        format!(
            "{digits}{}{}",
            if random.u32(..5) == 0 { " " } else { "" },
            if random.u32(..20) == 0 { "M" } else { unit }
        )
    };
    let parts: Vec<String> = (0..random.usize(1..3)).map(|_| part(random)).collect();
    if random.u32(..4) == 0 { number(random) } else { parts.join(if random.bool() { " " } else { "" }) }
}

/// Digits, a fraction, a blank, a unit, a blank, and so on: in nanoseconds.
fn nanoseconds(text: &str) -> Option<u128> {
    let (mut rest, mut sum) = (text.trim(), 0_u128);
    while !rest.is_empty() {
        let (digits, more) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()));
        let whole = decimal(digits)?.unsigned_abs();
        let fraction = more
            .strip_prefix('.')
            .map(|more| more.split_at(more.find(|c: char| !c.is_ascii_digit()).unwrap_or(more.len())));
        let (fraction, more) = fraction.unwrap_or(("", more));
        let more = more.trim_start();
        let (unit, more) = more.split_at(more.find(|c: char| !c.is_alphabetic()).unwrap_or(more.len()));
        let (_, unit) = UNITS.iter().find(|(names, _)| names.contains(&unit))?;
        let scale = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
        let part = if fraction.is_empty() { 0 } else { fraction.parse::<u128>().ok()?.checked_mul(*unit)? };
        if part % scale != 0 {
            return None;
        }
        sum = sum.checked_add(whole.checked_mul(*unit)?)?.checked_add(part / scale)?;
        rest = more.trim_start();
    }
    (!text.trim().is_empty()).then_some(sum)
}

fn judge_age(text: &str) -> Result<bool, String> {
    let given = match text.parse::<Age>() {
        Ok(given) => given,
        Err(why) if why.is_empty() => return Err("it is refused without a word".into()),
        Err(_) => return Ok(false),
    };
    let (is_right, age) = match (given, decimal(text), nanoseconds(text)) {
        (Age::Number(given), Some(number), None) => (given == number, number),
        (Age::Span(span), None, Some(own)) => {
            // The higher number of seconds.
            (span.as_nanos() == own, i128::try_from(own.div_ceil(1_000_000_000)).unwrap_or(i128::MAX))
        }
        _ => (false, 0),
    };
    let below = Threshold::new(given, Some(1_000_000), None, Some(Unit::S)).map(|threshold| threshold.below);
    if is_right && below == Ok(1_000_000_i128.saturating_sub(age)) {
        return Ok(true);
    }
    Err(format!(
        "it is read as {given:?}, below {below:?}, and is {:?} or {:?}",
        decimal(text),
        nanoseconds(text)
    ))
}

fn judge_count(text: &str) -> Result<bool, String> {
    let plain = decimal(text);
    let small = plain.filter(|_| !text.starts_with('-')).and_then(|number| u32::try_from(number).ok());
    match (parse_count::<u32>(text).ok(), parse_number(text)) {
        (count, number) if count == small && number == plain => Ok(count.is_some()),
        other => Err(format!("it is read as {other:?}, and is {plain:?}")),
    }
}

fn judge_type(text: &str) -> Result<bool, String> {
    let known = [("8", 1), ("16", 2), ("32", 4), ("64", 8)].into_iter().flat_map(|(bits, size)| {
        [("", "Native"), ("be", "Big")].into_iter().flat_map(move |(end, order)| {
            [("u", false), ("i", true)].map(|(sign, signed)| {
                let what = format!("IntType {{ size: {size}, signed: {signed}, order: {order} }}");
                (format!("{sign}{bits}{end}"), what)
            })
        })
    });
    let own = known.into_iter().find(|(name, _)| name == text).map(|(_, what)| what);
    let read = text.parse::<IntType>().ok().map(|read| format!("{read:?}"));
    if read == own { Ok(read.is_some()) } else { Err(format!("it is read as {read:?}, and is {own:?}")) }
}

fn judge_path(model: &Model, text: &str) -> Result<bool, String> {
    let Ok(place) = model.layout.field(text) else { return Ok(false) };
    let paths = &model.paths;
    let own = paths.iter().find(|(path, _)| path == text).map(|(_, field)| (field.at, field.size));
    // Of a row, the last element alone is in the table.
    let own = own.or_else(|| {
        let (name, index) = text.strip_suffix(']')?.rsplit_once('[')?;
        let (_, row) = paths.iter().find(|(path, _)| path == name)?;
        let each = if let Ty::List { each, .. } = row.ty { each } else { 1 };
        let index = usize::try_from(decimal(index)?).ok().filter(|index| index * each < row.size)?;
        Some((row.at + index * each, each))
    });
    let place = (place.offset, place.size);
    if own == Some(place) { Ok(true) } else { Err(format!("it is read as {place:?}, and is {own:?}")) }
}

/// The next of them: what it is, as what it is read, and whether it was accepted or why that is wrong.
pub fn next(random: &mut Rng, models: &[Model]) -> (String, &'static str, Result<bool, String>) {
    let (kind, model) = (*one_of(random, &KINDS), one_of(random, models));
    let text = match kind {
        "age" => age(random),
        "count" => number(random),
        "type" => {
            format!(
                "{}{}{}",
                one_of(random, &["u", "i", "x", "U"]),
                one_of(random, &["8", "16", "32", "64", "24", "+8"]),
                one_of(random, &["", "be", "le"])
            )
        }
        _ => {
            let begin = *one_of(random, &["[", "[", "[0", "[+"]);
            one_of(random, &model.paths).0.replace('[', begin)
        }
    };
    let text = slip(random, text);
    let judged = match kind {
        "age" => judge_age(&text),
        "count" => judge_count(&text),
        "type" => judge_type(&text),
        _ => judge_path(model, &text),
    };
    (text, kind, judged)
}
