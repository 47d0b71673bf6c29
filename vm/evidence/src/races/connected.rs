// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether a run of real connections fits its cell.

use results::{Status, TestResult, races::Connections};

use super::row::{Row, name_of};

/// The result of one run. The model has one map: what happens with a second one behind it contradicts nothing. Nor does it know of
/// kernels that preempt packets: what breaks there is told.
pub fn judge(row: &Row, run: &Connections, preempts_packets: bool) -> TestResult {
    let Connections { opened, broken, dropped, deletes, .. } = run;
    let mut detail = format!(
        "{broken} of {opened} connections broken, {dropped} packets without an entry, {deletes} deletes"
    );
    for (name, count) in &run.errors {
        detail.push_str(&format!(", {name} {count}"));
    }
    let status = if *opened == 0 {
        detail.push_str("; no connection was opened, so this says nothing");
        Status::Error
    } else if row.model.is_none() {
        detail.push_str("; the model says nothing of this cell");
        Status::Error
    } else if *broken > 0 && row.model_is_clean() && preempts_packets {
        detail.push_str("; the model has no kernel that preempts packets");
        Status::Pass
    } else if *broken > 0 && row.model_is_clean() && !run.snat {
        detail.push_str("; the model has nothing in this cell that breaks a connection: look at the first packet that was dropped, and at what removed its entry");
        Status::Fail
    } else {
        if *broken > 0 && row.model_is_clean() {
            detail.push_str("; the model has no second map");
        } else if *broken == 0 && !row.model_is_clean() {
            detail.push_str("; what the model has a schedule for did not happen to break one");
        }
        Status::Pass
    };
    let name = format!("{}::connections{}", name_of(&row.cell), if run.snat { "_snat" } else { "" });
    TestResult { name, status, ms: milliseconds(run.seconds), detail }
}

/// Guest seconds as a test result has them.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float that fits, or the nearest that does"
)]
pub fn milliseconds(seconds: f64) -> u64 {
    (seconds * 1000.0).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::races::made_up::{cell, connected, matrix, model};
    use results::races::Violation::LostRefresh;

    #[test]
    fn connections_break_only_where_the_model_lets_them_or_behind_a_second_map() {
        let here = || cell("store", "blind", "hash");
        let cases = [
            (vec![LostRefresh], 100, 3, false, Status::Pass, "3 of 100 connections broken"),
            (vec![LostRefresh], 100, 0, false, Status::Pass, "did not happen to break one"),
            (vec![], 100, 0, false, Status::Pass, "0 of 100"),
            (vec![], 100, 1, false, Status::Fail, "ETIMEDOUT 1; the model has nothing"),
            (vec![], 100, 1, true, Status::Pass, "the model has no second map"),
            (vec![], 0, 0, false, Status::Error, "no connection was opened"),
        ];
        for (violations, opened, broken, snat, status, said) in cases {
            let matrix = matrix(&[model(here(), &violations), connected(here(), opened, broken, snat)]);
            let result = judge(&matrix.rows[0], &matrix.rows[0].connections[0], false);
            assert_eq!(result.status, status, "{}", result.detail);
            assert!(result.detail.contains(said), "{}", result.detail);
            let end = if snat { "::connections_snat" } else { "::connections" };
            assert_eq!(result.name, format!("races::store::blind::hash{end}"));
        }
        let alone = matrix(&[connected(here(), 10, 0, false)]);
        assert_eq!(judge(&alone.rows[0], &alone.rows[0].connections[0], false).status, Status::Error);
        let told = matrix(&[model(here(), &[]), connected(here(), 10, 1, false)]);
        let told = judge(&told.rows[0], &told.rows[0].connections[0], true);
        assert_eq!(told.status, Status::Pass);
        assert!(told.detail.contains("no kernel that preempts packets"), "{}", told.detail);
    }
}
