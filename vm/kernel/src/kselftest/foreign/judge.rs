// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the guest's words come to: a row for each test, and why the series is to blame.

use results::{Status, TestResult};

use super::told::Told;
use crate::kselftest::{
    compare::{Difference, Results, Row},
    parse::rows,
    plan::Step,
};

/// A test that every kernel has. If it fails, the guest is to blame, or the kernel without the series.
pub const CONTROL: &str = "htab_update";

/// A row for each test and each part of it.
pub fn judge(steps: &[Step], told: &Told, late: Option<u64>) -> Vec<Row> {
    let mut results = Results::new();
    for step in steps {
        let of = |name: &str| name == step.name;
        if let Some((ended, said)) = told.ended.iter().find(|(ended, _)| of(&ended.name)) {
            results.extend(rows(step, ended, said));
            continue;
        }
        let running = told.running.as_ref().filter(|(name, _)| of(name));
        let detail = match (running, late) {
            (Some(_), Some(limit)) => format!("the guest was stopped in it after {limit} s"),
            (Some(_), None) => "the guest ended in it".to_owned(),
            (None, _) => "the guest ended before it".to_owned(),
        };
        let ended = TestResult { name: step.name.clone(), status: Status::Error, ms: 0, detail };
        results.extend(rows(step, &ended, running.map_or("", |(_, said)| said)));
    }
    let control = format!("test_progs:{CONTROL}");
    let row = |(test, (status, detail)): (String, (Status, String))| {
        let fine = matches!(status, Status::Pass | Status::Skip);
        let difference = match fine {
            _ if test.starts_with(&control) => Difference::None,
            true => Difference::Ours,
            false => Difference::OursBroken,
        };
        Row { test, base: None, series: Some(status), detail, difference }
    };
    results.into_iter().map(row).collect()
}

/// Why the series is to blame, sentence by sentence.
pub fn faults(found: &[Row], asked: &[String]) -> Vec<String> {
    let bad = |row: &&Row| !matches!(row.series, Some(Status::Pass | Status::Skip));
    let mut faults: Vec<String> = found
        .iter()
        .filter(bad)
        .map(|row| match row.series {
            Some(Status::Fail) if row.difference.is_fault() => {
                format!("{}: {}", row.test, row.difference.words())
            }
            Some(Status::Fail) => format!("{}: FAILED, and is not of the series", row.test),
            _ => format!("{} did not run: {}", row.test, row.detail),
        })
        .collect();
    for test in asked {
        let name = format!("test_progs:{test}");
        let mine = |row: &Row| row.test == name || row.test.starts_with(&format!("{name}/"));
        if found.iter().filter(|row| mine(row)).all(|row| row.series == Some(Status::Skip)) {
            faults.push(format!("{test} skipped all that it has"));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kselftest::foreign::told::read;

    fn told(console: &str) -> Vec<Row> {
        let steps = [Step::named("mine"), Step::named(CONTROL)];
        judge(&steps, &read(console), None)
    }

    #[test]
    fn a_test_that_fails_and_one_that_never_ran_are_faults() {
        let asked = ["mine".to_owned(), CONTROL.to_owned()];
        let control =
            "@@ begin test_progs:htab_update\n| #1 htab_update:OK\n@@ end test_progs:htab_update 0 1.0 2.0\n";
        let fine =
            "@@ begin test_progs:mine\n| #1/1 mine/x:OK\n| #1 mine:OK\n@@ end test_progs:mine 0 1.0 2.0\n";
        assert_eq!(faults(&told(&format!("{fine}{control}")), &asked), [""; 0]);
        let broken =
            fine.replace("x:OK", "x:FAIL").replace("mine:OK", "mine:FAIL").replace("mine 0", "mine 1");
        assert!(
            faults(&told(&format!("{broken}{control}")), &asked)[0]
                .contains("test_progs:mine: OF THE SERIES")
        );
        let skipped = fine.replace("x:OK", "x:SKIP").replace("mine:OK", "mine:SKIP");
        assert_eq!(faults(&told(&format!("{skipped}{control}")), &asked), ["mine skipped all that it has"]);
        let faults = faults(&told(fine), &asked);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].starts_with("test_progs:htab_update did not run: the guest ended"), "{faults:?}");
    }
}
