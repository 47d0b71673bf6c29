// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two kernels, the same tests: what differs, and whether the series is to blame.

use std::collections::BTreeMap;

use results::Status;
use serde::Serialize;

/// One test on both kernels; `None` where it printed nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Program, test and subtest.
    pub test: String,
    /// Without the series.
    pub base: Option<Status>,
    /// With it.
    pub series: Option<Status>,
    /// What the process said last, of the kernel with the series first.
    pub detail: String,
    /// What follows from the two.
    pub difference: Difference,
}

/// What follows from the two results of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Difference {
    /// The same on both.
    None,
    /// It passed without the series and does not with it.
    Regression,
    /// It does better with the series.
    Better,
    /// It belongs to the series, and passes with it.
    Ours,
    /// It belongs to the series, and does not pass with it.
    OursBroken,
}

impl Difference {
    /// As the table says it.
    pub fn words(self) -> &'static str {
        match self {
            Self::None => "same",
            Self::Regression => "WORSE",
            Self::Better => "better",
            Self::Ours => "of the series",
            Self::OursBroken => "OF THE SERIES, BROKEN",
        }
    }

    /// The series is to blame.
    pub fn is_fault(self) -> bool {
        matches!(self, Self::Regression | Self::OursBroken)
    }
}

/// The results of a kernel by test.
pub type Results = BTreeMap<String, (Status, String)>;

/// Compares; `ours` are the tests of the series. Gives the rows, and why the series is to blame, sentence by sentence.
pub fn compare(base: &Results, series: &Results, ours: &[String]) -> (Vec<Row>, Vec<String>) {
    let mut names: Vec<&String> = base.keys().chain(series.keys()).collect();
    names.sort();
    names.dedup();
    let rows: Vec<Row> = names
        .into_iter()
        .map(|name| {
            let of = |results: &Results| results.get(name).map(|(status, _)| *status);
            let said = |results: &Results| {
                results.get(name).map(|(_, said)| said.clone()).filter(|said| !said.is_empty())
            };
            let (before, after) = (of(base), of(series));
            let mine = ours.iter().any(|test| belongs(name, test));
            Row {
                test: name.clone(),
                base: before,
                series: after,
                detail: said(series).or_else(|| said(base)).unwrap_or_default(),
                difference: difference(before, after, mine),
            }
        })
        .collect();
    let mut faults: Vec<String> = rows
        .iter()
        .filter(|row| row.difference.is_fault())
        .map(|row| format!("{}: {}", row.test, row.difference.words()))
        .collect();
    for test in ours {
        let mine = || rows.iter().filter(|row| belongs(&row.test, test));
        if !mine().any(|row| row.series == Some(Status::Pass)) {
            faults.push(format!("{test}, a test of the series, did not run on the kernel with it"));
        } else if mine().all(|row| row.base == Some(Status::Pass)) {
            faults.push(format!("{test}, a test of the series, passes without the series as well"));
        }
    }
    (rows, faults)
}

/// `row` is the test `test` of `test_progs` or a subtest of it.
fn belongs(row: &str, test: &str) -> bool {
    let of = row.strip_prefix("test_progs:").and_then(|name| name.strip_prefix(test));
    of.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn difference(base: Option<Status>, series: Option<Status>, mine: bool) -> Difference {
    let passes = |status: Option<Status>| status == Some(Status::Pass);
    match (passes(base), passes(series)) {
        (_, true) if mine => Difference::Ours,
        // A subtest that a test of the series says it cannot run here is no fault of it.
        (_, false) if mine && series == Some(Status::Skip) => Difference::Ours,
        (_, false) if mine && series.is_some() => Difference::OursBroken,
        (true, false) => Difference::Regression,
        (false, true) => Difference::Better,
        _ => Difference::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(rows: &[(&str, Status)]) -> Results {
        rows.iter().map(|(name, status)| (format!("test_progs:{name}"), (*status, String::new()))).collect()
    }

    #[test]
    fn only_what_passed_before_can_get_worse() {
        let base =
            results(&[("a", Status::Pass), ("b", Status::Fail), ("c", Status::Skip), ("d", Status::Pass)]);
        let series = results(&[("a", Status::Pass), ("b", Status::Fail), ("c", Status::Pass)]);
        let (rows, faults) = compare(&base, &series, &[]);
        let seen: Vec<Difference> = rows.iter().map(|row| row.difference).collect();
        assert_eq!(
            seen,
            [Difference::None, Difference::None, Difference::Better, Difference::Regression],
            "a test that is gone is worse too"
        );
        assert_eq!(faults, ["test_progs:d: WORSE"]);
    }

    #[test]
    fn a_test_of_the_series_has_to_pass_with_it_and_not_without() {
        let ours = ["mine".to_owned()];
        let judge = |base: &[(&str, Status)], series: &[(&str, Status)]| {
            compare(&results(base), &results(series), &ours).1
        };
        let (pass, fail) = ([("mine/x", Status::Pass)], [("mine/x", Status::Fail)]);
        assert!(judge(&fail, &pass).is_empty());
        assert!(judge(&[], &pass).is_empty());
        assert_eq!(judge(&fail, &fail).len(), 2);
        assert!(judge(&pass, &pass)[0].contains("passes without the series"));
        assert!(judge(&fail, &[])[0].contains("did not run"));
        // Another test whose name begins like it is not ours.
        assert!(judge(&fail, &[("mine_not/x", Status::Pass)])[0].contains("did not run"));
    }
}
