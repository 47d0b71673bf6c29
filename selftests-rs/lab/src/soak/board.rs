// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the workers of a soak write down, each on a page of its own, and whoever takes samples reads.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use results::races::{Stress, Violation};
use results::soak::Worked;

/// The page of one worker.
#[derive(Default)]
pub struct Page {
    worked: Mutex<Worked>,
    /// Memory of a map, for workers that know when theirs has to be what it was. 0: not known yet.
    pub bytes: AtomicU64,
    refreshes: AtomicU64,
    deletes: AtomicU64,
    losses: AtomicU64,
}

impl Page {
    /// For the worker of that name.
    pub fn of(worker: &str) -> Self {
        let worked = Worked { worker: worker.to_owned(), ..Worked::default() };
        Self { worked: Mutex::new(worked), ..Self::default() }
    }

    fn worked(&self) -> MutexGuard<'_, Worked> {
        self.worked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It did that so many times.
    pub fn did(&self, what: &str, times: u64) {
        let sum = match what {
            "refreshes" => Some(&self.refreshes),
            "deletes" => Some(&self.deletes),
            _ => None,
        };
        if let Some(sum) = sum {
            sum.fetch_add(times, Relaxed);
        }
        add(&mut self.worked().did, what, times);
    }

    /// That went wrong so many times.
    pub fn lost(&self, what: &str, times: u64) {
        if times > 0 {
            self.losses.fetch_add(times, Relaxed);
            add(&mut self.worked().losses, what, times);
        }
    }

    /// What a run of a cell has come to.
    pub fn ran(&self, stress: &Stress) {
        self.did("runs", 1);
        self.did("packets", stress.packets);
        self.did("refreshes", stress.refreshes);
        self.did("deletes", stress.deletes);
        for (what, times) in [
            ("evictions of live entries", stress.evicted_live),
            ("evictions that may be removals", stress.undecided),
            ("opens refused", stress.opens_refused),
        ] {
            if times > 0 {
                self.did(what, times);
            }
        }
        for violation in Violation::ALL {
            self.lost(violation.words(), stress.violations.of(violation));
        }
        for (error, times) in &stress.errors {
            self.did(&format!("error: {error}"), *times);
        }
    }

    /// Refreshes, deletes and losses so far.
    pub fn sums(&self) -> [u64; 3] {
        [&self.refreshes, &self.deletes, &self.losses].map(|sum| sum.load(Relaxed))
    }

    /// All of it, with why it could not go on.
    pub fn end(&self, error: Option<String>) -> Worked {
        Worked { error, ..self.worked().clone() }
    }
}

fn add(to: &mut BTreeMap<String, u64>, what: &str, times: u64) {
    *to.entry(what.to_owned()).or_default() += times;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_summed_and_named() {
        let page = Page::of("a");
        let mut stress = Stress { refreshes: 5, deletes: 3, ..Stress::default() };
        stress.violations.lost_refresh = 2;
        page.ran(&stress);
        page.ran(&stress);
        page.lost("room", 1);
        page.lost("nothing", 0);
        assert_eq!(page.sums(), [10, 6, 5]);
        let worked = page.end(None);
        assert_eq!(worked.losses, BTreeMap::from([("lost refresh".to_owned(), 4), ("room".to_owned(), 1)]));
        assert_eq!(worked.did["runs"], 2);
    }
}
