// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a cell of the matrix shows on a terminal, and what the words mean.

use comfy_table::{Attribute, Cell as Box, Color};
use results::races::Violation;

use super::{
    rate::{Trials, figure, per_million},
    row::{Row, Standing},
};

/// What a cell shows, and how loudly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// In words.
    pub text: String,
    tone: Tone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tone {
    Safe,
    Bad,
    Lesser,
    Alone,
    Alarm,
}

/// The word for each violation.
fn word(violation: Violation) -> &'static str {
    match violation {
        Violation::LostRefresh => "LOST",
        Violation::StrayWrite => "STRAY",
        Violation::ForeignValue => "FOREIGN",
        Violation::StaleRestore => "STALE",
        Violation::Gap => "GAP",
        Violation::DoubleDelete => "DOUBLE",
        Violation::NeverRemoved => "STAYS",
    }
}

fn tone(violation: Violation) -> Tone {
    match violation {
        Violation::LostRefresh
        | Violation::StrayWrite
        | Violation::ForeignValue
        | Violation::StaleRestore => Tone::Bad,
        Violation::Gap | Violation::DoubleDelete | Violation::NeverRemoved => Tone::Lesser,
    }
}

/// Short, since a table has many columns.
fn short(rate: f64) -> String {
    match rate {
        rate if rate >= 999_500.0 => format!("{:.1}M", rate / 1e6),
        rate if rate >= 9_950.0 => format!("{:.0}k", rate / 1e3),
        rate if rate >= 999.5 => format!("{:.1}k", rate / 1e3),
        rate => figure(rate),
    }
}

/// What `row` shows.
pub fn shown(row: &Row) -> Shown {
    let found = || row.model.iter().flat_map(|model| model.counterexamples.keys().copied());
    let more = |text: String| match found().count() {
        0 | 1 => text,
        kinds => format!("{text} +{}", kinds - 1),
    };
    let condition = |text: String| match row.breaks_in().len() {
        0 => text,
        count => format!("{text} ~{count}"),
    };
    let model = || match (found().next(), row.model.is_some()) {
        (Some(worst), _) => more(format!("model: {}", word(worst))),
        (None, true) => condition("model: safe".into()),
        (None, false) => "-".into(),
    };
    match row.standing {
        Standing::Disagree => Shown { text: "DISAGREE".into(), tone: Tone::Alarm },
        Standing::Missing => Shown { text: "NO EVIDENCE".into(), tone: Tone::Alarm },
        Standing::Refused => {
            let errno = row.refused.as_ref().map_or("", |refusal| refusal.errno.as_str());
            Shown { text: format!("refused {errno}"), tone: Tone::Alone }
        }
        Standing::Absent | Standing::ModelOnly => Shown { text: model(), tone: Tone::Alone },
        Standing::Agree => {
            let (trials, violations) = row
                .stress
                .as_ref()
                .map_or_else(Default::default, |stress| (Trials::deletes(stress), stress.violations));
            let below = || short(trials.losses_below());
            match found().next() {
                None => Shown { text: condition(format!("safe <{}", below())), tone: Tone::Safe },
                Some(worst) => {
                    let rate = match violations.of(worst) {
                        0 => format!("<{}", below()),
                        count => short(per_million(count, trials.all)),
                    };
                    Shown { text: more(format!("{} {rate}", word(worst))), tone: tone(worst) }
                }
            }
        }
    }
}

/// The same in colours.
pub fn painted(shown: &Shown) -> Box {
    let cell = Box::new(&shown.text);
    match shown.tone {
        Tone::Safe => cell.fg(Color::Green),
        Tone::Bad => cell.fg(Color::Red).add_attribute(Attribute::Bold),
        Tone::Lesser => cell.fg(Color::Yellow),
        Tone::Alone => cell.fg(Color::DarkGrey),
        Tone::Alarm => cell.fg(Color::Magenta).add_attribute(Attribute::Reverse),
    }
}

/// What the words mean.
pub fn legend() -> String {
    let words: Vec<String> =
        Violation::ALL.iter().map(|violation| format!("{} {violation}", word(*violation))).collect();
    format!(
        "{}\n\
         a figure: per million deletes, as the stress counted; <x: the stress counted none, which leaves fewer than x (95 %);\n\
         after a violation that means: model and witness show it, the stress did not happen to; +n: n more kinds of violation\n\
         safe: the model has no schedule, and the stress counted none; ~n: it breaks in n circumstances that it does not claim;\n\
         model: no evidence of the kernel, by matrix.json's reason;\n\
         refused: the kernel's own no; DISAGREE: two kinds of evidence contradict each other; NO EVIDENCE: some is missing",
        words.join(" · ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::races::{
        judge::weigh,
        made_up::{cell, disturbed, matrix, model, model_if_worse, of_each_kind, stressed, weighed},
    };
    use results::races::{Circumstance, RaceEvent, Violation::LostRefresh};

    #[test]
    fn a_cell_shows_its_worst_violation_and_the_rate() {
        let matrix = weighed(&of_each_kind());
        let text = |refresh, gc, map| shown(matrix.find(refresh, gc, map).unwrap()).text;
        assert_eq!(text("store", "blind", "hash"), "LOST 98k +1");
        assert_eq!(text("replace", "compare", "hash"), "safe <0.83");
        assert_eq!(text("store", "compare", "hash"), "LOST <0.83");
        assert_eq!(text("replace", "compare", "lru-hash"), "refused EOPNOTSUPP");
        assert_eq!(text("due-tagged", "prog", "hash"), "model: safe");
    }

    #[test]
    fn a_safe_cell_says_in_how_many_worse_circumstances_it_breaks() {
        let here = || cell("half-life", "compare", "hash");
        let text = |events: &[RaceEvent]| shown(&weighed(events).rows[0]).text;
        let worse = model_if_worse(here(), Circumstance::AgentUpdates, &[LostRefresh]);
        let stress = stressed(here(), 10_000_000, 12_000_000, 0);
        assert_eq!(text(&[worse.clone(), stress.clone()]), "safe <0.83 ~1");
        let seen = |circumstance| disturbed(here(), circumstance, 100, 1);
        let again = seen(Circumstance::AgentUpdates);
        assert_eq!(text(&[worse.clone(), stress.clone(), again]), "safe <0.83 ~1");
        let unpredicted = [worse.clone(), stress, seen(Circumstance::Spread)];
        assert_eq!(text(&unpredicted), "DISAGREE");
        let (mut lost, mut alone) = (matrix(&[model(here(), &[LostRefresh])]), matrix(&[worse]));
        lost.add(&[seen(Circumstance::Spread)]);
        weigh(&mut lost, true, "");
        weigh(&mut alone, true, "");
        assert_eq!(shown(&lost.rows[0]).text, "model: LOST", "that much is in the claim already");
        assert_eq!(shown(&alone.rows[0]).text, "model: safe ~1");
    }

    #[test]
    fn trouble_is_louder_than_any_figure() {
        let here = || cell("store", "blind", "hash");
        let mut broken = matrix(&[model(here(), &[]), stressed(here(), 10, 10, 1)]);
        weigh(&mut broken, false, "");
        assert_eq!(shown(&broken.rows[0]), Shown { text: "DISAGREE".into(), tone: Tone::Alarm });
        let mut missing = matrix(&[model(here(), &[])]);
        weigh(&mut missing, false, "");
        assert_eq!(shown(&missing.rows[0]), Shown { text: "NO EVIDENCE".into(), tone: Tone::Alarm });
        weigh(&mut missing, true, "");
        assert_eq!(shown(&missing.rows[0]).text, "model: safe");
    }

    #[test]
    fn every_word_is_in_the_legend() {
        assert!(Violation::ALL.iter().all(|violation| legend().contains(word(*violation))));
    }
}
