// SPDX-License-Identifier: MIT OR Apache-2.0
//! Goals that were set before anything was measured, against what was. Those of one operation against another are the
//! bench's own; the others are here.

use results::bench::{Group, Profile, Ratio, Row};

use super::{
    comparison::{comparable, ratio},
    figures::Figures,
    numbers::{count, times, value},
    page::{Goal, Reached, Table},
};

/// Two runs of one image differ by no more than this part.
const REPEAT: f64 = 0.005;
/// The whole bench takes no longer.
const SECONDS: f64 = 15.0 * 60.0;
/// An entry removed costs the same, give or take this part, however large the map.
const GROWTH: f64 = 0.10;
/// From so many entries on.
const LARGE: u64 = 16_000;
/// Functions of a profile that are shown.
const FUNCTIONS: usize = 16;

/// All goals. `safe` are the strategies that lose nothing with some discipline: all of them are held to the same growth.
pub fn all(figures: Option<&Figures>, safe: &[&str]) -> Vec<Goal> {
    let none = Figures::default();
    let seen = figures.unwrap_or(&none);
    let mut goals: Vec<Goal> = seen.ratios.iter().filter_map(|ratio| of_ratio(seen, ratio)).collect();
    if goals.is_empty() {
        goals.push(goal("operations against a plain delete on the base", "as the bench has them", None));
    }
    goals.extend(safe.iter().filter(|gc| grew(seen, gc)).map(|gc| growth(seen, gc)));
    let repeat = seen.repeat_difference.map(|d| (format!("{:.3} %", d * 100.0), d <= REPEAT));
    goals.push(goal("two runs of the same image", "at most 0.5 % apart", repeat));
    let took = (seen.seconds > 0.0).then(|| (format!("{} s", value(seen.seconds)), seen.seconds <= SECONDS));
    goals.push(goal("the whole bench", "at most 15 minutes", took));
    for (goal, i) in goals.iter_mut().zip(1..) {
        goal.id = format!("goal-{i}");
        if let Some(profile) = &mut goal.profile {
            profile.id = format!("profile-{i}");
        }
    }
    goals
}

fn goal(what: &str, goal: &str, measured: Option<(String, bool)>) -> Goal {
    let (measured, reached) = match measured {
        Some((measured, true)) => (measured, Reached::Yes),
        Some((measured, false)) => (measured, Reached::No),
        None => ("not run: cargo xtask bench".into(), Reached::NotRun),
    };
    Goal { id: String::new(), what: what.into(), goal: goal.into(), measured, reached, profile: None }
}

/// Between the two names of a ratio.
const OVER: &str = " ÷ ";

/// A row's name taken apart. Names of operations have commas, and a name on the right may leave out the map of the left.
#[derive(Debug, PartialEq)]
struct Name<'a> {
    operation: &'a str,
    window: Option<u32>,
    map: &'a str,
    kernel: &'a str,
}

impl<'a> Name<'a> {
    fn read(figures: &'a Figures, name: &'a str, map: &'a str) -> Option<Self> {
        let (rest, kernel) = name.rsplit_once(", ")?;
        let begins = |operation: &&str| rest == *operation || rest.starts_with(&format!("{operation}, "));
        let operations = figures.rows.iter().map(|row| row.measure.operation.as_str());
        let operation = operations.filter(begins).max_by_key(|operation| operation.len())?;
        let mut read = Self { operation, window: None, map, kernel };
        for part in rest[operation.len()..].split(", ").filter(|part| !part.is_empty()) {
            match part.strip_prefix("window ") {
                Some(window) => read.window = window.parse().ok(),
                None => read.map = part,
            }
        }
        Some(read)
    }

    fn row(&self, figures: &'a Figures) -> Option<&'a Row> {
        figures.rows.iter().find(|row| {
            let m = &row.measure;
            m.operation == self.operation
                && m.map == self.map
                && m.window == self.window
                && row.origin.kernel == self.kernel
        })
    }

    /// Its profile; of another window, if that one was not profiled.
    fn profile(&self, figures: &'a Figures) -> Option<&'a Profile> {
        let of = |p: &&Profile| p.operation == self.operation && p.map == self.map && p.kernel == self.kernel;
        let profiles = || figures.profiles.iter().filter(of);
        profiles().find(|p| p.window == self.window).or_else(|| profiles().next())
    }
}

fn of_ratio(figures: &Figures, ratio: &Ratio) -> Option<Goal> {
    let wanted = format!("at most {}", times(ratio.goal?));
    let sides = ratio.what.split_once(OVER).and_then(|(left, right)| {
        let left = Name::read(figures, left, "-")?;
        let right = Name::read(figures, right, left.map)?;
        Some((left, right))
    });
    // The bench has made the ratio: it is held to the same rule.
    if let Some((left, right)) = &sides
        && let (Some(one), Some(other)) = (left.row(figures), right.row(figures))
        && let Err(why) = comparable(one, other)
    {
        let mut refused = goal(&ratio.what, &wanted, None);
        refused.measured = format!("not compared: {why}");
        return Some(refused);
    }
    let reached = ratio.reached.unwrap_or(ratio.ratio <= ratio.goal?);
    // Between two kernels, what a series has made cheaper for everybody hides what its flag costs: the same two operations on
    // one kernel stand beside it, and count as well.
    let same = sides.as_ref().and_then(|(left, right)| on_one_kernel(figures, left, right));
    let (measured, reached) = match same {
        Some((kernel, same)) => (
            format!("{same:.3} × on {kernel} itself, {:.3} × between the kernels", ratio.ratio),
            reached && same <= ratio.goal?,
        ),
        None => (format!("{:.3} ×", ratio.ratio), reached),
    };
    let mut goal = goal(&ratio.what, &wanted, Some((measured, reached)));
    if let Some((left, right)) = &sides
        && !reached
    {
        goal.profile = spent(left.profile(figures), right.profile(figures));
    }
    Some(goal)
}

/// The ratio of two operations on the kernel of the left one, where the two sides name different kernels.
fn on_one_kernel<'a>(figures: &'a Figures, left: &Name<'a>, right: &Name<'a>) -> Option<(&'a str, f64)> {
    if left.kernel == right.kernel {
        return None;
    }
    let there =
        Name { kernel: left.kernel, operation: right.operation, map: right.map, window: right.window };
    Some((left.kernel, ratio(left.row(figures)?, there.row(figures)?).ok()?))
}

/// Where the instructions go, on both sides.
fn spent(one: Option<&Profile>, other: Option<&Profile>) -> Option<Table> {
    let one = one?;
    let of = |p: &Profile| {
        let window = p.window.map_or_else(String::new, |window| format!(", window {window}"));
        format!("{}{window}, {} · {}", p.operation, p.map, p.kernel)
    };
    let mut table = Table {
        caption: format!("Instructions by function: {} of {}", count(one.instructions), of(one)),
        head: vec!["function".into(), of(one), "calls".into()],
        ..Table::default()
    };
    if let Some(other) = other {
        table.head.extend([of(other), "difference".into()]);
    }
    for spent in one.functions.iter().take(FUNCTIONS) {
        let mut line = vec![spent.function.clone(), count(spent.instructions), count(spent.calls)];
        if let Some(other) = other {
            let there =
                other.functions.iter().find(|f| f.function == spent.function).map_or(0, |f| f.instructions);
            line.push(count(there));
            line.push(difference(spent.instructions, there));
        }
        table.rows.push(line);
    }
    Some(table)
}

fn difference(one: u64, other: u64) -> String {
    if one >= other { format!("+{}", count(one - other)) } else { format!("-{}", count(other - one)) }
}

/// It was measured on a large map.
fn grew(figures: &Figures, strategy: &str) -> bool {
    let mut jobs = figures.group(Group::Job).filter_map(|row| row.measure.job.as_ref());
    jobs.any(|job| job.strategy == strategy && job.entries >= LARGE)
}

fn growth(figures: &Figures, strategy: &str) -> Goal {
    let jobs: Vec<_> = figures
        .group(Group::Job)
        .filter_map(|row| row.measure.job.as_ref())
        .filter(|job| job.strategy == strategy && job.entries >= LARGE && job.removed > 0)
        .collect();
    let most = jobs.iter().map(|job| job.expired_percent).max();
    let costs: Vec<(u64, f64)> = jobs
        .iter()
        .filter(|job| Some(job.expired_percent) == most)
        .map(|job| (job.entries, job.per_entry_removed))
        .collect();
    let first = costs.iter().min_by_key(|(entries, _)| *entries).copied();
    let measured = first.filter(|_| costs.len() > 1).and_then(|(from, first)| {
        let off = |cost: f64| (cost - first) / first;
        let worst = costs.iter().copied().max_by(|a, b| off(a.1).abs().total_cmp(&off(b.1).abs()))?;
        let largest = costs.iter().map(|(entries, _)| *entries).max()?;
        let said = format!(
            "{:+.1} % at {} entries, the furthest of {} to {} ({} % expired)",
            off(worst.1) * 100.0,
            count(worst.0),
            count(from),
            count(largest),
            most.unwrap_or_default()
        );
        Some((said, off(worst.1).abs() <= GROWTH))
    });
    goal(
        &format!("{strategy}: cost of an entry removed, as the map grows"),
        "within ±10 % from 16 k entries on",
        measured,
    )
}

#[cfg(test)]
mod tests {
    use super::super::made_up::bench;
    use super::*;

    fn made_up() -> Figures {
        crate::figures_of(&bench())
    }

    fn find<'a>(goals: &'a [Goal], what: &str) -> &'a Goal {
        goals.iter().find(|goal| goal.what.contains(what)).unwrap()
    }

    #[test]
    fn goals_follow_from_the_figures() {
        let figures = made_up();
        let goals = all(Some(&figures), &["compare", "prog-array", "never measured"]);
        let missed = find(&goals, "compare hit, window 56");
        assert_eq!(missed.reached, Reached::No);
        let profile = missed.profile.as_ref().unwrap();
        assert_eq!(profile.rows[0], ["__sys_bpf", "250", "1", "240", "+10"]);
        assert_eq!(find(&goals, "compare: cost").reached, Reached::Yes);
        assert_eq!(find(&goals, "two runs").reached, Reached::Yes);
        assert_eq!(find(&goals, "prog-array: cost").reached, Reached::Yes, "all are held to the same");
        assert!(goals.iter().all(|goal| !goal.what.contains("never measured")));
    }

    #[test]
    fn what_is_cheap_between_two_kernels_has_to_be_cheap_on_one() {
        let mut figures = made_up();
        let goals = all(Some(&figures), &[]);
        let small = find(&goals, "compare hit, window 4");
        assert_eq!(
            (small.reached, small.measured.as_str()),
            (Reached::No, "1.009 × on v3 itself, 0.989 × between the kernels")
        );
        for row in figures.rows.iter_mut().filter(|row| row.measure.window == Some(4)) {
            row.measure.min = 1390.0;
        }
        assert_eq!(find(&all(Some(&figures), &[]), "compare hit, window 4").reached, Reached::Yes);
    }

    #[test]
    fn other_figures_make_other_outcomes() {
        let mut figures = made_up();
        figures.repeat_difference = Some(0.006);
        figures.seconds = 901.0;
        for job in figures.rows.iter_mut().filter_map(|row| row.measure.job.as_mut()) {
            if job.entries > 100_000 {
                job.per_entry_removed *= 1.2;
            }
        }
        let goals = all(Some(&figures), &["compare"]);
        for what in ["two runs", "whole bench", "compare: cost"] {
            assert_eq!(find(&goals, what).reached, Reached::No, "{what}");
        }
    }

    #[test]
    fn a_name_is_taken_apart_whatever_its_operation_is_called() {
        let figures = made_up();
        let read = |name| Name::read(&figures, name, "hash").unwrap();
        assert_eq!(
            read("compare batch, all equal, window 4, lru-hash, v3"),
            Name { operation: "compare batch, all equal", window: Some(4), map: "lru-hash", kernel: "v3" }
        );
        assert_eq!(
            read("delete hit, base"),
            Name { operation: "delete hit", window: None, map: "hash", kernel: "base" }
        );
        assert!(Name::read(&figures, "something else, base", "hash").is_none());
    }

    #[test]
    fn without_a_bench_nothing_is_reached_and_nothing_missed() {
        assert!(all(None, &[]).iter().all(|goal| goal.reached == Reached::NotRun));
    }

    #[test]
    fn a_ratio_of_kernels_that_differ_is_refused() {
        let mut figures = made_up();
        for row in figures.rows.iter_mut().filter(|row| row.origin.kernel == "base") {
            row.origin.config_sha256 = "other".into();
        }
        let goals = all(Some(&figures), &[]);
        let refused = find(&goals, "compare hit, window 4");
        assert_eq!(refused.reached, Reached::NotRun);
        assert!(refused.measured.starts_with("not compared: rows of kernel v3"), "{}", refused.measured);
    }
}
