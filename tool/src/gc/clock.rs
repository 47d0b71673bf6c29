// SPDX-License-Identifier: MIT OR Apache-2.0
//! From what the user says of ages and clocks to a threshold.

use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum;
use rustix::time::{ClockId, clock_gettime};

use crate::bytes::{has_leading_zero, parse_number};

/// A clock that a BPF program reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Clock {
    /// `bpf_ktime_get_ns()`: since boot, and it stands still while the machine is suspended
    #[value(aliases = ["ktime", "mono", "CLOCK_MONOTONIC"])]
    Monotonic,
    /// `bpf_ktime_get_boot_ns()`: since boot
    #[value(alias = "CLOCK_BOOTTIME")]
    Boottime,
    /// The wall clock, as user space stamps with it: since 1970
    #[value(alias = "CLOCK_REALTIME")]
    Realtime,
}

/// What one of the field is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Unit {
    /// Nanoseconds
    #[default]
    Ns,
    /// Microseconds
    Us,
    /// Milliseconds
    Ms,
    /// Seconds
    S,
}

impl Clock {
    fn id(self) -> ClockId {
        match self {
            Self::Monotonic => ClockId::Monotonic,
            Self::Boottime => ClockId::Boottime,
            Self::Realtime => ClockId::Realtime,
        }
    }

    /// What it says now.
    #[must_use]
    pub fn now(self, unit: Unit) -> i128 {
        unit.of(nanoseconds(self.id()))
    }

    /// What it said before this machine had booted. A program stamps nothing in the first tenth of a second, and there lie all
    /// seconds that are taken for nanoseconds.
    #[must_use]
    pub fn boot(self, unit: Unit) -> i128 {
        const EARLY: i128 = 100_000_000;
        unit.of(match self {
            Self::Monotonic | Self::Boottime => EARLY,
            Self::Realtime => nanoseconds(ClockId::Realtime) - uptime(),
        })
    }

    /// How people name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Monotonic => "monotonic",
            Self::Boottime => "boottime",
            Self::Realtime => "realtime",
        }
    }
}

/// For how long this machine has run, and some more: the wall clock may have been set since.
fn uptime() -> i128 {
    const SLACK: i128 = 60 * 1_000_000_000;
    nanoseconds(ClockId::Boottime) + SLACK
}

/// In which unit a number is what the wall clock says today.
fn wall_unit(now: i128) -> Option<Unit> {
    const DAY: i128 = 86_400 * 1_000_000_000;
    let wall = nanoseconds(ClockId::Realtime);
    let is_today = |unit: &Unit| now.saturating_sub(unit.of(wall)).saturating_abs() <= unit.of(DAY);
    [Unit::S, Unit::Ms, Unit::Us, Unit::Ns].into_iter().find(is_today)
}

fn nanoseconds(id: ClockId) -> i128 {
    let time = clock_gettime(id);
    i128::from(time.tv_sec) * 1_000_000_000 + i128::from(time.tv_nsec)
}

impl Unit {
    fn of(self, nanoseconds: i128) -> i128 {
        nanoseconds.div_euclid(match self {
            Self::Ns => 1,
            Self::Us => 1_000,
            Self::Ms => 1_000_000,
            Self::S => 1_000_000_000,
        })
    }
}

/// How old an entry may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// In the unit of the field.
    Number(i128),
    /// A time.
    Span(Duration),
}

impl FromStr for Age {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(number) = parse_number(text) {
            return Ok(Self::Number(number));
        }
        if let Some(age) = text.strip_prefix('-') {
            return Err(format!("`{text}`: an age is counted back from now, without a sign: write {age}"));
        }
        doubt(text).map_or(Ok(()), |why| Err(format!("`{text}`: {why}")))?;
        humantime::parse_duration(text)
            .map(Self::Span)
            .map_err(|_| format!("`{text}` is no whole number and no time: write 300, or 90s, 5m, 1h 30m"))
    }
}

/// What humantime reads in one way and people in another.
fn doubt(text: &str) -> Option<&'static str> {
    let is_number = |c: &char| c.is_ascii_digit() || *c == '.';
    let words: Vec<&str> = text.split_whitespace().collect();
    if words
        .windows(2)
        .any(|two| two[0].ends_with(|c| is_number(&c)) && two[1].starts_with(|c| is_number(&c)))
    {
        return Some("a blank stands within a number: write a unit behind each number, as 1h 30m");
    }
    let mut numbers = text.split(|c| !is_number(&c));
    if numbers.any(|number| has_leading_zero(number.split('.').next().unwrap_or_default())) {
        return Some("a zero before a number means octal to many: leave it out");
    }
    let mut units = text.split(|c: char| !c.is_alphabetic());
    units.any(|unit| unit == "M").then_some("M is a month to some and a minute to others: write months or m")
}

/// What has expired, and what is known of the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threshold {
    /// An entry whose field is lower has expired.
    pub below: i128,
    /// The time it is, and whose clock says so, where it is known.
    pub now: Option<(i128, Option<Clock>)>,
    /// In the unit of the field.
    pub age: i128,
    /// Of the field.
    pub unit: Unit,
}

impl Threshold {
    /// What `--older-than`, `--now`, `--clock` and `--unit` say.
    ///
    /// # Errors
    /// A sentence: an age without a clock, or a number without a unit.
    pub fn new(
        older_than: Age,
        now: Option<i128>,
        clock: Option<Clock>,
        unit: Option<Unit>,
    ) -> Result<Self, String> {
        let units = unit.unwrap_or_default();
        if unit.is_some() && now.is_none() && clock.is_none() {
            return Err("--unit says what one of a clock is: it goes with --clock or --now".into());
        }
        let now = now.map(|now| (now, None)).or_else(|| clock.map(|clock| (clock.now(units), Some(clock))));
        let age = match (older_than, now) {
            (Age::Number(number @ ..=-1) | Age::Number(number @ 1..), Some((_, Some(_)))) => {
                return Err(format!(
                    "--older-than {number}: of what? With --clock an age has its unit: write {number}s, or {number}ns"
                ));
            }
            (Age::Number(number), _) => number,
            (Age::Span(_), None) => {
                return Err(
                    "--older-than is an age, so say on which clock the entries are stamped: --clock monotonic for \
                     bpf_ktime_get_ns()"
                        .into(),
                );
            }
            (Age::Span(_), Some((_, None))) if unit.is_none() => {
                return Err(
                    "--older-than is an age in a unit of its own, and --now a number: say which, with --unit"
                        .into(),
                );
            }
            // An age between two numbers of the field is the higher one: sooner kept than deleted.
            (Age::Span(age), Some(_)) => {
                let age = i128::try_from(age.as_nanos()).unwrap_or(i128::MAX);
                -units.of(age.saturating_neg())
            }
        };
        let below = match now {
            Some((now, _)) => now.saturating_sub(age),
            None => age,
        };
        Ok(Self { below, now, age, unit: units })
    }

    /// What is lower was stamped before this machine had booted, as no entry of a map was. Of a number without a unit: in that in
    /// which it is the wall clock, as `date` prints it, else even in nanoseconds.
    #[must_use]
    pub fn boot(&self) -> Option<i128> {
        match self.now? {
            (_, Some(clock)) => Some(clock.boot(self.unit)),
            (now, None) => Some(now.saturating_sub(wall_unit(now).unwrap_or(self.unit).of(uptime()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn age(text: &str) -> Age {
        text.parse().unwrap()
    }

    #[test]
    fn ages_are_numbers_and_times() {
        assert_eq!(age("300"), Age::Number(300));
        assert_eq!(age("-1"), Age::Number(-1));
        assert_eq!(age("5m"), Age::Span(Duration::from_secs(300)));
        assert_eq!(age("1h 30m"), Age::Span(Duration::from_secs(5400)));
        assert_eq!(age("250ms"), Age::Span(Duration::from_millis(250)));
        for text in ["", "5x", "1e9", "2.5897e+12", "0x10", "five"] {
            assert!(text.parse::<Age>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_age_that_can_be_two_is_none() {
        for (text, why) in [
            ("1 30m", "within a number"),
            ("1h 3 0m", "within a number"),
            ("1 .5s", "within a number"),
            ("010s", "octal"),
            ("1h 05m", "octal"),
            ("5M", "a month to some"),
            ("-90s", "without a sign: write 90s"),
        ] {
            let error = text.parse::<Age>().unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
        assert_eq!(age("0.05s"), Age::Span(Duration::from_millis(50)));
        assert_eq!(age("1 h 30 m"), Age::Span(Duration::from_secs(5400)));
    }

    #[test]
    fn a_threshold_is_a_number_or_so_much_before_now() {
        let below = |older, now, unit| Threshold::new(age(older), now, None, unit).map(|t| t.below);
        assert_eq!(below("300", None, None), Ok(300));
        assert_eq!(below("300", Some(1000), None), Ok(700));
        assert_eq!(below("5m", Some(1000), Some(Unit::S)), Ok(700));
        assert_eq!(below("1500ms", Some(10), Some(Unit::S)), Ok(8), "the higher age");
        assert!(below("5m", None, None).unwrap_err().contains("--clock"));
        assert!(below("5", None, Some(Unit::S)).unwrap_err().contains("goes with --clock"));
        assert!(below("5m", Some(1000), None).unwrap_err().contains("--unit"));
    }

    #[test]
    fn a_clock_wants_ages_with_a_unit() {
        let new = |older, clock| Threshold::new(age(older), None, Some(clock), Some(Unit::S));
        assert!(new("300", Clock::Monotonic).unwrap_err().contains("write 300s, or 300ns"));
        let now = new("0", Clock::Realtime).unwrap();
        let before = new("5m", Clock::Realtime).unwrap();
        assert!((299..=301).contains(&(now.below - before.below)), "{now:?} {before:?}");
        assert!(now.below > 1_700_000_000);
        for clock in [Clock::Monotonic, Clock::Boottime, Clock::Realtime] {
            assert!(clock.boot(Unit::Ns) < clock.now(Unit::Ns), "{clock:?}");
        }
    }

    #[test]
    fn nothing_was_stamped_before_boot() {
        let boot = |older, now, clock, unit| Threshold::new(age(older), now, clock, unit).unwrap().boot();
        assert_eq!(boot("300", None, None, None), None, "no time at all");
        let seconds = Clock::Boottime.now(Unit::S);
        let of_number = |now, unit| boot("300", Some(now), None, unit).unwrap();
        let wall = 1_790_000_000;
        assert!((0..=61).contains(&(wall - seconds - of_number(wall, Some(Unit::S)))), "so long it has run");
        assert!(of_number(wall * 1_000_000_000, None) > 10 * Clock::Boottime.now(Unit::Ns));
        assert!(of_number(100, None) < 0, "a counter is no time");
        for unit in [Unit::S, Unit::Ms, Unit::Us, Unit::Ns] {
            // `--now "$(date +%s)"` says nothing of a unit, and can be in one alone.
            let wall = Clock::Realtime.now(unit);
            let up = wall - of_number(wall, None);
            let known = Clock::Boottime.now(unit);
            assert!(up >= known && up <= known + unit.of(61_000_000_000) + 1, "{unit:?}: {up}");
        }
        // Seconds, taken for nanoseconds.
        assert!(boot("5m", None, Some(Clock::Monotonic), None).unwrap() > 86_400);
        assert_eq!(boot("5m", None, Some(Clock::Boottime), Some(Unit::S)), Some(0));
    }
}
