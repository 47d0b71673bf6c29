// SPDX-License-Identifier: MIT OR Apache-2.0
//! Counts what `cargo test -- --show-output` says.

use ground::outcome::Count;

/// How a test says that it did not run, and why: `skipped: REASON` on standard output.
const SKIPPED: &str = "skipped: ";

/// Takes in one line. A test that says it was skipped is no pass.
pub fn count(line: &str, count: &mut Count) {
    if line.starts_with(SKIPPED) {
        count.skipped += 1;
        count.passed = count.passed.saturating_sub(1);
        return;
    }
    let Some(result) = line.strip_prefix("test result: ") else { return };
    let number = |what: &str| -> usize {
        let before = result.split(what).next().unwrap_or_default();
        before.trim_end().rsplit(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0)
    };
    count.passed += number(" passed;");
    count.failed += number(" failed;");
    count.skipped += number(" ignored;");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_several_binaries_are_summed_and_skips_are_no_passes() {
        let said = [
            "running 3 tests",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.1s",
            "skipped: only root may mount",
            "test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s",
        ];
        let mut sum = Count::default();
        said.iter().for_each(|line| count(line, &mut sum));
        assert_eq!(sum, Count { passed: 4, failed: 1, skipped: 2 });
    }
}
