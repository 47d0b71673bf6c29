// SPDX-License-Identifier: MIT OR Apache-2.0
//! What has to be true of a hold.

use std::collections::HashSet;

use results::time::{Call, Hold, Left, Lock, Needs};

/// After the end of a hold, for everybody to be over. A resilient lock waits for half a second at most, and an emulated CPU may
/// be off its core.
const OVER_MS: u64 = 3000;
/// What the lock of a bucket gives up with, and what an LRU map says where no element is to be had without it.
const BUCKET: [&str; 3] = ["ETIMEDOUT", "EDEADLK", "ENOMEM"];
/// What a stripe that is not to be had is called.
const STRIPE: [&str; 2] = ["EBUSY", "busy"];

/// A lock that gives up has done so by then: the kernel's means a quarter of a second, which emulated is one.
const GIVES_UP_US: u64 = 4_000_000;

/// All that is wrong with it, a sentence each.
pub fn faults(hold: &Hold) -> Vec<String> {
    let mut faults = staging(hold);
    faults.extend(harm(hold));
    // That a try was in vain excuses that it was short, and that somebody waited, and no more.
    for (number, earlier) in (1..).zip(&hold.earlier) {
        faults.extend(harm(earlier).into_iter().map(|fault| format!("in try {number}, {fault}")));
    }
    // A hundred callers may say the same.
    let mut said = HashSet::new();
    faults.retain(|fault| said.insert(fault.clone()));
    faults
}

/// Calls that began while it was held.
fn beside(hold: &Hold) -> impl Iterator<Item = &Call> {
    hold.calls.iter().filter(|call| call.began_held)
}

/// Whether it was held as it was to be, and seen to be.
fn staging(hold: &Hold) -> Vec<String> {
    let mut faults = Vec::new();
    if hold.is_short() {
        faults.push(format!("it was held for {} ms of {}", hold.held_ms, hold.asked_ms));
    }
    let wanted: Vec<&Call> = beside(hold).filter(|call| call.needs == Needs::Lock).collect();
    let gives_up = matches!(hold.lock, Lock::Bucket | Lock::Stripe);
    if hold.lock != Lock::None && !hold.careless {
        if !hold.interrupts_off && hold.lock == Lock::Bucket {
            faults.push("interrupts were on where the lock of a bucket was held".into());
        }
        if wanted.is_empty() {
            faults.push("nobody wanted the lock meanwhile".into());
        } else if gives_up && !wanted.iter().any(|call| call.ended_held && call.errno != 0) {
            faults.push("nobody gave up while it was held".into());
        }
    }
    if hold.lock == Lock::None && !(hold.word == "missed" && beside(hold).any(|call| call.errno == 0)) {
        faults.push(format!("its entry was not collected meanwhile: {}", hold.word));
    }
    for call in beside(hold).filter(|call| call.was_kept_waiting() && hold.lock != Lock::None) {
        faults.push(format!("a {} needs no lock that was held, and took {} ms", call.who, call.us / 1000));
    }
    faults
}

/// What may never be, however well it was held.
fn harm(hold: &Hold) -> Vec<String> {
    let mut faults = Vec::new();
    faults.extend(beside(hold).filter_map(|call| one_of(hold, call)));
    if hold.errno != 0 {
        faults.push(format!("what was held failed with {} afterwards", hold.word));
    }
    let after = |who: &str| hold.calls.iter().any(|call| !call.began_held && call.who == who);
    faults.extend(
        beside(hold)
            .filter(|call| !after(&call.who))
            .map(|call| format!("no {} was seen after the hold", call.who)),
    );
    for call in hold.calls.iter().filter(|call| !call.began_held && call.errno != 0) {
        faults.push(format!("after the hold a {} failed with {}", call.who, call.word));
    }
    if hold.ended_ms > OVER_MS {
        faults.push(format!("{} ms after the hold somebody was still at it", hold.ended_ms));
    }
    if hold.held_ms > hold.asked_ms + OVER_MS {
        faults.push(format!("what was held ended {} ms after the hold", hold.held_ms - hold.asked_ms));
    }
    faults.extend(map(hold.left));
    match (hold.careless, hold.violations.total()) {
        (false, lost @ 1..) => faults.push(format!("{lost} violations: {:?}", hold.violations)),
        (true, 0) => faults.push("its careless sister lost nothing: the check cannot fail".into()),
        _ => {}
    }
    faults
}

/// Whoever wants the lock gives up and says so, or waits to the end where the lock is of that kind; who needs nothing goes on.
fn one_of(hold: &Hold, call: &Call) -> Option<String> {
    let Call { who, word, needs, errno, us, ended_held, .. } = call;
    if *needs == Needs::Nothing {
        return (*errno != 0 && hold.lock != Lock::None)
            .then(|| format!("a {who} needs no lock that was held, and failed with {word}"));
    }
    let gave_up: &[&str] = match hold.lock {
        _ if hold.careless => return None,
        Lock::Bucket => &BUCKET,
        Lock::Stripe => &STRIPE,
        Lock::Element | Lock::None => &[],
    };
    if *errno != 0 && !gave_up.contains(&word.as_str()) {
        return Some(format!("a {who} gave up with {word}"));
    }
    if *errno == 0 && *ended_held && *needs == Needs::Lock {
        return Some(format!("a {who} had the lock while it was held: {word}"));
    }
    (matches!(hold.lock, Lock::Bucket | Lock::Stripe) && *us > GIVES_UP_US)
        .then(|| format!("a {who} waited for {} ms", us / 1000))
}

/// What has to be true of a map, whatever happened.
pub fn map(left: Left) -> Vec<String> {
    let mut faults = Vec::new();
    if !left.live {
        faults.push("the live entry that nobody touched is gone".into());
    }
    if !left.expired_gone {
        faults.push("the expired entry that nobody touched is still there".into());
    }
    if left.walked != left.found {
        faults.push(format!("a walk finds {} entries, look-ups {}", left.walked, left.found));
    }
    if left.capacity > 0 && left.found + left.room != left.capacity {
        faults.push(format!(
            "{} entries are there and {} can be made, of {}",
            left.found, left.room, left.capacity
        ));
    }
    faults
}

/// What came of it, in a sentence: who gave up with what, after how long.
pub fn detail(hold: &Hold) -> String {
    let Hold { at, held_ms, word, .. } = hold;
    let mut words = vec![format!("held at {at} for {held_ms} ms, then {word}")];
    if !hold.earlier.is_empty() {
        words.push(format!("{} before it in vain", hold.earlier.len()));
    }
    let mut said: Vec<(&str, &str)> = Vec::new();
    for call in hold.calls.iter().filter(|call| call.began_held) {
        let pair = (call.who.as_str(), if call.ended_held { call.word.as_str() } else { "waits" });
        if !said.contains(&pair) {
            said.push(pair);
        }
    }
    for (who, word) in said {
        let same: Vec<&Call> = hold
            .calls
            .iter()
            .filter(|call| call.began_held && call.who == who)
            .filter(|call| if call.ended_held { call.word == word } else { word == "waits" })
            .collect();
        let longest = same.iter().map(|call| call.us).max().unwrap_or(0);
        words.push(format!("{who}: {word}, {} times, {} ms at most", same.len(), longest.div_ceil(1000)));
    }
    if hold.violations.total() > 0 {
        words.push(format!("{} violations", hold.violations.total()));
    }
    words.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use results::races::Violations;

    fn call(wants: bool, word: &str, ended_held: bool) -> Call {
        let needs = if wants { Needs::Lock } else { Needs::Nothing };
        let errno = i32::from(word != "done");
        Call { who: "packet".into(), needs, errno, word: word.into(), us: 10, began_held: true, ended_held }
    }

    fn after(who: &str) -> Call {
        Call { who: who.into(), began_held: false, ..call(true, "done", false) }
    }

    fn good() -> Hold {
        Hold {
            lock: Lock::Bucket,
            holder: "x".into(),
            at: "f+0x1".into(),
            interrupts_off: true,
            careless: false,
            asked_ms: 3000,
            held_ms: 3001,
            looks: (50, 40),
            waited_in: None,
            errno: 0,
            word: "done".into(),
            earlier: Vec::new(),
            calls: vec![
                call(true, "ETIMEDOUT", true),
                call(true, "done", false),
                call(false, "done", true),
                Call { who: "look-up".into(), ..call(false, "done", true) },
                after("packet"),
                after("look-up"),
            ],
            ended_ms: 1,
            violations: Violations::default(),
            left: Left { live: true, expired_gone: true, walked: 2, found: 2, room: 8, capacity: 10 },
        }
    }

    /// How a hold is spoilt, and what is said of it.
    type Case = (fn(&mut Hold), &'static str);

    #[test]
    fn one_sign_of_trouble_is_enough() {
        let cases: [Case; 23] = [
            (|h| h.held_ms = 1999, "it was held for 1999 ms"),
            (|h| h.interrupts_off = false, "interrupts were on"),
            (|h| h.calls.retain(|call| call.needs != Needs::Lock), "nobody wanted the lock"),
            (|h| h.calls.retain(|call| call.errno == 0), "nobody gave up"),
            (|h| h.calls[0].us = GIVES_UP_US + 1, "a packet waited for 4000 ms"),
            (|h| h.calls.push(call(true, "EFAULT", false)), "a packet gave up with EFAULT"),
            (|h| h.calls.retain(|call| call.began_held), "no packet was seen after the hold"),
            (|h| h.held_ms = 3000 + OVER_MS + 1, "what was held ended 3001 ms after"),
            (|h| h.lock = Lock::None, "its entry was not collected meanwhile"),
            (|h| h.calls.push(call(true, "done", true)), "a packet had the lock while it was held"),
            (|h| h.calls.push(call(true, "EINVAL", true)), "a packet gave up with EINVAL"),
            (|h| h.calls.push(call(false, "ETIMEDOUT", true)), "a packet needs no lock"),
            (|h| h.calls[2].us = 200_001, "a packet needs no lock that was held, and took"),
            (|h| h.errno = 110, "what was held failed with done"),
            (
                |h| h.calls.push(Call { began_held: false, ..call(true, "ETIMEDOUT", false) }),
                "after the hold a packet failed",
            ),
            (|h| h.ended_ms = OVER_MS + 1, "3001 ms after the hold"),
            (|h| h.left.live = false, "the live entry"),
            (|h| h.left.expired_gone = false, "the expired entry"),
            (|h| h.left.walked = 3, "a walk finds 3"),
            (|h| h.left.room = 7, "2 entries are there and 7 can be made, of 10"),
            (|h| h.violations.lost_refresh = 1, "1 violations"),
            (|h| h.careless = true, "its careless sister lost nothing"),
            (
                |h| {
                    let mut earlier = Hold { held_ms: 10, ..good() };
                    earlier.violations.lost_refresh = 1;
                    h.earlier.push(earlier);
                },
                "in try 1, 1 violations",
            ),
        ];
        assert_eq!(faults(&good()), Vec::<String>::new());
        for (spoil, wanted) in cases {
            let mut hold = good();
            spoil(&mut hold);
            let found = faults(&hold);
            assert!(found.iter().any(|fault| fault.starts_with(wanted)), "{wanted}: {found:?}");
        }
    }

    #[test]
    fn a_try_in_vain_may_be_short_and_no_more() {
        let earlier = vec![Hold { held_ms: 10, ..good() }];
        assert_eq!(faults(&Hold { earlier, ..good() }), Vec::<String>::new());
    }

    #[test]
    fn a_lock_that_waits_is_not_given_up() {
        let calls = vec![Call { us: 5_900_000, ..call(true, "done", false) }, after("packet")];
        let mut hold = Hold { lock: Lock::Element, calls, ..good() };
        assert_eq!(faults(&hold), Vec::<String>::new());
        hold.calls.push(call(true, "ETIMEDOUT", true));
        assert_eq!(faults(&hold), ["a packet gave up with ETIMEDOUT"]);
    }
}
