// SPDX-License-Identifier: MIT OR Apache-2.0
//! KTAP version 1 on standard output, for people.

use results::{Status, TestResult};

/// Prints results as they come.
pub struct View {
    number: usize,
    counts: [usize; 4],
}

impl View {
    pub fn new(tests: usize) -> Self {
        println!("KTAP version 1\n1..{tests}");
        Self { number: 0, counts: [0; 4] }
    }

    pub fn finished(&mut self, result: &TestResult) {
        self.number += 1;
        self.counts[result.status as usize] += 1;
        print!("{}", lines(self.number, result));
    }

    pub fn done(&self) {
        let [pass, fail, skip, error] = self.counts;
        println!("# pass:{pass} fail:{fail} skip:{skip} error:{error}");
    }
}

/// The result line, with what there is to say before it, as KTAP wants its diagnostics.
fn lines(number: usize, result: &TestResult) -> String {
    let TestResult { name, status, ms, detail } = result;
    let detail = detail.replace('\n', "\n# ");
    match status {
        Status::Pass if detail.is_empty() => format!("ok {number} {name} # {ms} ms\n"),
        Status::Pass => format!("ok {number} {name} # {ms} ms, {detail}\n"),
        Status::Skip => format!("ok {number} {name} # SKIP {detail}\n"),
        Status::Fail => format!("# failed: {detail}\nnot ok {number} {name} # {ms} ms\n"),
        Status::Error => format!("# could not run: {detail}\nnot ok {number} {name} # {ms} ms\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skip_and_a_failure_say_why() {
        let result = |status| TestResult { name: "a::b".into(), status, ms: 7, detail: "why\nwhere".into() };
        assert_eq!(lines(1, &result(Status::Skip)), "ok 1 a::b # SKIP why\n# where\n");
        assert_eq!(lines(2, &result(Status::Fail)), "# failed: why\n# where\nnot ok 2 a::b # 7 ms\n");
    }
}
