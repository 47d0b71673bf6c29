// SPDX-License-Identifier: MIT OR Apache-2.0
//! What has to be true of a guest that stood still, and of a clock that was set.

use results::time::{Collected, Stepped, Stopped};

use super::hold::map;

/// The exit status of `cmpdel gc` where the threshold cannot be right.
const REFUSED: Option<i32> = Some(2);
const WALL: &str = "realtime";

/// All that is wrong with a stop.
pub fn stopped(stopped: &Stopped) -> Vec<String> {
    let mut faults = map(stopped.left);
    if stopped.host_ms < stopped.lifetime_ms {
        faults.push(format!("it stood still for {} ms, less than an entry lives", stopped.host_ms));
    }
    if stopped.rounds == 0 || stopped.packets == 0 {
        faults.push("there was no traffic, or no round".into());
    }
    if stopped.violations.total() > 0 {
        faults.push(format!("{:?}", stopped.violations));
    }
    match (stopped.loses, stopped.missed) {
        (false, missed @ 1..) => {
            faults.push(format!("{missed} packets of flows that never paused missed their entry"));
        }
        (true, 0) => faults.push("no flow lost its entry by the step: the check cannot fail".into()),
        _ => {}
    }
    // Those flows come to an end with their entries.
    if stopped.loses {
        faults.retain(|fault| !fault.starts_with("the live entry"));
    }
    faults
}

/// What was seen of a stop.
pub fn of_stop(stopped: &Stopped) -> String {
    let Stopped { host_ms, clocks, set_ms, packets, missed, removed, rounds, .. } = stopped;
    format!(
        "the host says {host_ms} ms, monotonic {}, boottime {}, realtime {}, then set by {set_ms}; {missed} of {packets} packets \
         missed, {removed} entries removed in {rounds} rounds",
        clocks.monotonic, clocks.boottime, clocks.realtime
    )
}

/// All that is wrong with a step.
pub fn stepped(stepped: &Stepped) -> Vec<String> {
    let Stepped { live, fresh, live_left, expired, expired_left, exit, .. } = *stepped;
    let mut faults = Vec::new();
    let lost = (live + fresh).saturating_sub(live_left);
    match (stepped.loses, lost) {
        (false, 1..) => faults.push(format!("{lost} live entries were deleted")),
        (true, 0) => faults.push("nothing live was deleted: the check cannot fail".into()),
        _ => {}
    }
    let by_wall = stepped.clock == WALL && stepped.step_s != 0;
    let refuses = by_wall && stepped.by == Collected::Cmpdel && !stepped.loses;
    match (refuses, exit) {
        (true, exit) if exit != REFUSED => faults.push(format!("it did not stop, exit {exit:?}")),
        (false, Some(1..)) => faults.push(format!("exit {exit:?}")),
        _ => {}
    }
    if refuses && expired_left != expired {
        faults.push("it stopped, and yet deleted".into());
    }
    if !by_wall && expired_left > 0 {
        faults.push(format!("{expired_left} expired entries are still there"));
    }
    faults
}

/// What was seen of a step.
pub fn of_step(stepped: &Stepped) -> String {
    let Stepped { live, fresh, live_left, expired, expired_left, exit, said, .. } = stepped;
    let exit = exit.map_or(String::new(), |exit| format!("exit {exit}, "));
    format!(
        "{exit}{live_left} of {} live and {expired_left} of {expired} expired are left: {said}",
        live + fresh
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use results::{
        races::Violations,
        time::{Left, stop::Clocks},
    };

    fn stop() -> Stopped {
        Stopped {
            clock: "monotonic".into(),
            loses: false,
            lifetime_ms: 2000,
            host_ms: 4000,
            clocks: Clocks::default(),
            set_ms: 4000,
            packets: 100,
            missed: 0,
            removed: 64,
            rounds: 9,
            violations: Violations::default(),
            left: Left { live: true, expired_gone: true, walked: 1, found: 1, room: 3, capacity: 4 },
        }
    }

    fn step() -> Stepped {
        Stepped {
            by: Collected::Cmpdel,
            clock: "monotonic".into(),
            step_s: 3600,
            live: 20,
            expired: 6,
            fresh: 4,
            loses: false,
            live_left: 24,
            expired_left: 0,
            exit: Some(0),
            said: String::new(),
        }
    }

    /// How it is spoilt, and what is said of it.
    type Case<T> = (fn(&mut T), &'static str);

    fn hold<T>(good: fn() -> T, faults: fn(&T) -> Vec<String>, cases: &[Case<T>]) {
        assert_eq!(faults(&good()), Vec::<String>::new());
        for (spoil, wanted) in cases {
            let mut spoilt = good();
            spoil(&mut spoilt);
            let found = faults(&spoilt);
            assert!(found.iter().any(|fault| fault.starts_with(wanted)), "{wanted}: {found:?}");
        }
    }

    #[test]
    fn one_sign_of_trouble_after_a_stop_is_enough() {
        let cases: [Case<Stopped>; 6] = [
            (|s| s.host_ms = 1000, "it stood still for 1000 ms"),
            (|s| s.rounds = 0, "there was no traffic"),
            (|s| s.missed = 3, "3 packets of flows"),
            (|s| s.loses = true, "no flow lost its entry"),
            (|s| s.violations.gap = 1, "Violations"),
            (|s| s.left.live = false, "the live entry"),
        ];
        hold(stop, stopped, &cases);
    }

    #[test]
    fn one_sign_of_trouble_after_a_step_is_enough() {
        let cases: [Case<Stepped>; 5] = [
            (|s| s.live_left = 4, "20 live entries were deleted"),
            (|s| s.loses = true, "nothing live was deleted"),
            (|s| s.clock = WALL.into(), "it did not stop, exit Some(0)"),
            (|s| s.exit = REFUSED, "exit Some(2)"),
            (|s| s.expired_left = 1, "1 expired entries"),
        ];
        hold(step, stepped, &cases);
    }

    #[test]
    fn a_collector_that_refuses_deletes_nothing() {
        let mut refused = Stepped { clock: WALL.into(), exit: REFUSED, expired_left: 6, ..step() };
        assert_eq!(stepped(&refused), Vec::<String>::new());
        refused.expired_left = 5;
        assert_eq!(stepped(&refused), ["it stopped, and yet deleted"]);
    }
}
