// SPDX-License-Identifier: MIT OR Apache-2.0
//! The run, and that it can fail.

use super::*;
use crate::json::Json;
use reference::decimal;

/// Of a hundred cases, so many are arguments, whole command lines, and the rest.
const SHARES: [u64; 3] = [75, 5, 20];

#[test]
fn no_panic_and_no_two_readings() {
    let (seed, cases) = (from_environment("CMPDEL_SEED", 21), from_environment("CMPDEL_CASES", 120_000));
    let (start, [arguments, lines, rest]) = (Instant::now(), SHARES.map(|share| cases * share / 100));
    eprintln!("CMPDEL_SEED={seed} CMPDEL_CASES={cases}");
    let mut counts = run(seed, arguments, cmpdel).unwrap_or_else(|why| panic!("{why}"));
    let (mut random, mut first, models) = (Rng::with_seed(seed), line::First::new(), model::structs());
    for i in 0..lines {
        let line = line::generate(&mut random);
        let told = Told::new(seed, i, &line.args);
        let accepted = line::judge(&mut first, &line);
        drop(told);
        let accepted =
            accepted.unwrap_or_else(|why| panic!("CMPDEL_SEED={seed}, line {i}: {why}\n{:?}", line.args));
        count(&mut counts, "command line", accepted);
    }
    for i in 0..rest {
        let (text, kind, accepted) = other::next(&mut random, &models);
        let accepted =
            accepted.unwrap_or_else(|why| panic!("CMPDEL_SEED={seed}, {kind} {i}: {why}\n{text:?}"));
        count(&mut counts, kind, accepted);
    }
    let (yes, no) = counts.values().fold((0, 0), |(yes, no), (more, less)| (yes + more, no + less));
    for (form, (yes, no)) in &counts {
        eprintln!("{form:>16}: {yes:>6} accepted, {no:>6} refused");
        assert!(
            cases < 100_000 || *yes > 50 || ["no form, or two", "Otherwise"].contains(&form.as_str()),
            "{form}: {yes}"
        );
    }
    eprintln!("{} cases in {:.1?}: {yes} accepted, {no} refused", yes + no, start.elapsed());
    assert_eq!(yes + no, arguments + lines + rest);
}

fn otherwise(model: &Model, case: &Case, text: String) -> Result<Answer, String> {
    cmpdel(model, &Case { text, ..case.clone() })
}

/// Readers that are careless in one thing each: what the run is for.
#[test]
fn a_reader_that_takes_one_of_two_readings_is_caught() {
    // What bpftool takes as decimal.
    let decimals = |model: &Model, case: &Case| {
        let words = case.text.split(' ').map(|word| Some(format!("u8:{}", decimal(word)?)));
        let words = words.collect::<Option<Vec<_>>>().filter(|words| words.len() > 1);
        cmpdel(model, case).or_else(|why| otherwise(model, case, words.ok_or(why)?.join(" ")))
    };
    // A zero before a number as if it were not there.
    let zeros = |model: &Model, case: &Case| {
        cmpdel(model, case).or_else(|_| otherwise(model, case, case.text.replace(":0", ":")))
    };
    // The order of this machine, whatever the type says.
    let orders = |model: &Model, case: &Case| match (cmpdel(model, case)?, &case.door) {
        (Answer::Bytes(at, mut bytes), Door::Field(_, field)) if reference::is_other(&field.ty) => {
            bytes.reverse();
            Ok(Answer::Bytes(at, bytes))
        }
        (answer, _) => Ok(answer),
    };
    // Numbers of a pasted entry as if people had written them.
    let pasted = |model: &Model, case: &Case| {
        cmpdel(model, case).or_else(|why| match (Json::parse(&case.text), &case.door) {
            (Ok(json), Door::Key(true)) if json.get("value") == Some(&Json::Number(5)) => {
                let inner =
                    case.text.strip_suffix('}').and_then(|text| Some(text.split_once("\"key\": ")?.1));
                otherwise(model, case, inner.unwrap_or_default().into())
            }
            _ => Err(why),
        })
    };
    // A text, if nothing else.
    let texts = |model: &Model, case: &Case| {
        cmpdel(model, case).or_else(|_| otherwise(model, case, format!("text:{}", case.text)))
    };
    let blanks = |model: &Model, case: &Case| otherwise(model, case, case.text.trim().to_owned());
    let readers: [(&str, Reader); 6] = [
        ("decimals", decimals),
        ("zeros", zeros),
        ("orders", orders),
        ("pasted", pasted),
        ("texts", texts),
        ("blanks", blanks),
    ];
    for (name, reader) in readers {
        let caught = run(21, 50_000, reader).expect_err(name);
        eprintln!("{name}: {caught}");
        assert!(caught.contains("it is accepted as"), "{name}: {caught}");
    }
}
