// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a test is, and what it may say.

use std::borrow::Cow;
use std::fmt;

use anyhow::Result;

use crate::{Context, Kernel};

/// The kernels that a test is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    Series,
    Both,
}

impl On {
    pub fn includes(self, kernel: Kernel) -> bool {
        self == Self::Both || kernel == Kernel::Series
    }
}

/// What a test found. A test that could not be run returns an error instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The promise was kept; figures worth keeping, or nothing.
    Pass(String),
    /// The promise was broken: what was seen.
    Fail(String),
    /// Not applicable in this guest: why.
    Skip(String),
}

type Run = Box<dyn Fn(&Context) -> Result<Verdict>>;

/// One promise.
pub struct Test {
    /// `topic::promise`.
    pub name: Cow<'static, str>,
    pub on: On,
    pub run: Run,
}

impl Test {
    pub fn new(
        name: impl Into<Cow<'static, str>>,
        on: On,
        run: impl Fn(&Context) -> Result<Verdict> + 'static,
    ) -> Self {
        Self { name: name.into(), on, run: Box::new(run) }
    }
}

/// Collects what was broken in a test that looks at many cases, and shows the first few.
#[derive(Default)]
pub struct Tally {
    cases: usize,
    broken: Vec<String>,
}

/// How many broken cases a failure shows.
const SHOWN: usize = 3;

impl Tally {
    /// Counts a case, which `problem` says was broken.
    pub fn case(&mut self, name: impl fmt::Display, problem: Option<String>) {
        self.cases += 1;
        if let Some(problem) = problem {
            self.broken.push(format!("{name}: {problem}"));
        }
    }

    pub fn verdict(self) -> Verdict {
        if self.cases == 0 {
            return Verdict::Fail("no case was tried".into());
        }
        if self.broken.is_empty() {
            return Verdict::Pass(format!("{} cases", self.cases));
        }
        let shown = self.broken.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("; ");
        let rest = match self.broken.len().saturating_sub(SHOWN) {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        Verdict::Fail(format!("{} of {} cases: {shown}{rest}", self.broken.len(), self.cases))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_of_nothing_fails_and_a_long_one_is_cut() {
        assert!(matches!(Tally::default().verdict(), Verdict::Fail(_)));
        let mut tally = Tally::default();
        (0..5).for_each(|i| tally.case(i, Some("bad".into())));
        tally.case(5, None);
        let Verdict::Fail(text) = tally.verdict() else { panic!("passed") };
        assert_eq!(text, "5 of 6 cases: 0: bad; 1: bad; 2: bad; and 2 more");
    }
}
