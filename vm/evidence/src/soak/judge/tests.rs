// SPDX-License-Identifier: MIT OR Apache-2.0

use std::collections::BTreeMap;

use results::soak::{EXPIRED_REOPENED, Gauge, Sample, SoakEvent, WHOLE};

use super::*;

fn counts(of: &[(&str, u64)]) -> BTreeMap<String, u64> {
    of.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

fn worked() -> Worked {
    Worked { worker: "a".into(), did: counts(&[("runs", 3)]), ..Worked::default() }
}

/// A soak of 100 samples with the memory that `bytes` tells, in which `late` seconds passed once without a beat.
fn soak(bytes: impl Fn(u64) -> u64, late: u64, worked: Worked) -> Vec<SoakEvent> {
    let gauge = |name: &str, kind| Gauge { name: name.into(), kind };
    let mut events = vec![SoakEvent::Plan {
        release: "7.3".into(),
        cpus: 2,
        seconds: 100,
        every_ms: 1000,
        workers: vec!["a".into()],
        absent: BTreeMap::from([("b".to_owned(), "it takes 9.0".to_owned())]),
        gauges: vec![gauge("m", Kind::Map), gauge("SUnreclaim", Kind::Kernel)],
    }];
    let losses = worked.losses.values().sum();
    events.extend((0..100).map(|n| {
        let late_ms = if n == 50 { 1000 * late } else { 100 };
        let bytes = vec![Some(bytes(n)), Some(1000 + 1_000_000 * n)];
        SoakEvent::Sampled(Sample {
            at_ms: 1000 * n,
            late_ms,
            stood_ms: late_ms,
            bytes,
            losses,
            ..Sample::default()
        })
    }));
    events.extend([SoakEvent::Ended(worked), SoakEvent::Done { samples: 100, stopped: false }]);
    events
}

const SHARED: Besides = Besides { trouble: String::new(), splats: Vec::new(), waited: None, shared: true };

fn outcome(events: Vec<SoakEvent>, besides: &Besides) -> (Outcome, String) {
    let judged = judge(&Heard::of(events), besides);
    (judged.outcome, judged.reason)
}

#[test]
fn a_quiet_soak_passes_and_says_who_was_absent() {
    let judged = judge(&Heard::of(soak(|_| 4096, 0, worked())), &SHARED);
    assert_eq!(judged.outcome, Outcome::Passed, "{}", judged.reason);
    let statuses: Vec<_> = judged.tests.iter().map(|test| (test.name.as_str(), test.status)).collect();
    assert_eq!(
        statuses,
        [
            ("soak::work::a", Status::Pass),
            ("soak::work::b", Status::Skip),
            ("soak::memory::map: m", Status::Pass),
            ("soak::memory::kernel: SUnreclaim", Status::Skip),
        ]
    );
}

#[test]
fn one_thing_that_is_wrong_is_enough() {
    let lost = || Worked { losses: counts(&[("lost refresh", 1)]), ..worked() };
    let idle = || Worked { did: BTreeMap::new(), ..worked() };
    let in_vain = |what| Worked { did: counts(&[("runs", 9), (what, 0)]), ..worked() };
    let stuck = || Worked { error: Some("no veth".into()), ..worked() };
    let flat = |worked| soak(|_| 4096, 0, worked);
    let mut cut_off = flat(worked());
    cut_off.pop();
    let splat = Besides { splats: vec!["warning: WARNING: x".into()], ..SHARED };
    let ended = Besides { trouble: "the lab ended with 3".into(), ..SHARED };
    let cases = [
        (flat(lost()), &SHARED, "1 test failed: soak::work::a"),
        (flat(idle()), &SHARED, "1 test failed: soak::work::a"),
        (flat(in_vain("deletes")), &SHARED, "1 test failed: soak::work::a"),
        (flat(in_vain(WHOLE)), &SHARED, "1 test failed: soak::work::a"),
        (flat(in_vain(EXPIRED_REOPENED)), &SHARED, "1 test failed: soak::work::a"),
        (flat(stuck()), &SHARED, "1 test failed: soak::work::a"),
        (soak(|n| 4096 + 1000 * n, 0, worked()), &SHARED, "1 test failed: soak::memory::map: m"),
        (flat(worked()), &Besides { shared: false, ..SHARED }, "1 test failed: soak::memory::kernel"),
        (flat(worked()), &splat, "the kernel reported warning"),
        (flat(worked()), &ended, "the lab ended with 3"),
    ];
    for (events, besides, why) in cases {
        let (outcome, reason) = outcome(events, besides);
        assert_eq!(outcome, Outcome::Failed, "{why}");
        assert!(reason.starts_with(why), "{reason} instead of {why}");
    }
    assert!(!Heard::of(cut_off).done());
}

#[test]
fn a_guest_that_stood_still_says_nothing_and_a_lockup_does() {
    let lockup = || vec!["soft lockup: watchdog: BUG: soft lockup - CPU#1 stuck for 21s!".to_owned()];
    let waited = |ms| Some(Waited { waited_ms: ms, of_ms: 30_000 });
    let with = |splats, waited| Besides { splats, waited, ..SHARED };
    let stood = |late, worked| soak(|_| 4096, late, worked);
    let busy = outcome(stood(21, worked()), &with(lockup(), waited(20_000)));
    assert_eq!(busy.0, Outcome::CouldNotRun);
    assert!(
        busy.1.contains("21.0 s in which no CPU of it ran") && busy.1.contains("20.0 of 30 s"),
        "{}",
        busy.1
    );
    // Its clock stood as well, so that only ours shows it.
    let mut slow = Heard::of(stood(0, worked()));
    slow.behind_ms = 23_000;
    let judged = judge(&slow, &with(lockup(), waited(20_000)));
    assert_eq!(judged.outcome, Outcome::CouldNotRun);
    assert!(judged.reason.contains("it fell 23.0 s behind the host's"), "{}", judged.reason);
    let lost = Worked { losses: counts(&[("lost refresh", 1)]), ..worked() };
    let warned = || [lockup(), vec!["warning: WARNING: x".to_owned()]].concat();
    let real = [
        // QEMU ran all the time: it is the guest that stood.
        (stood(21, worked()), with(lockup(), waited(300))),
        // The guest ran all the time.
        (stood(0, worked()), with(lockup(), waited(20_000))),
        // Nobody looked.
        (stood(21, worked()), with(lockup(), None)),
        // A report of another kind, or a loss, is one on a busy host as well.
        (stood(21, worked()), with(warned(), waited(20_000))),
        (stood(21, lost), with(lockup(), waited(20_000))),
    ];
    for (events, besides) in real {
        let (outcome, reason) = outcome(events, &besides);
        assert_eq!(outcome, Outcome::Failed, "{reason}");
    }
}

#[test]
fn a_guest_that_fell_silent_on_a_busy_host_says_nothing() {
    let mut events = soak(|_| 4096, 0, worked());
    events.truncate(40);
    let silent = |ms| Besides {
        trouble: "no word from the guest for 300 s".into(),
        waited: Some(Waited { waited_ms: ms, of_ms: 30_000 }),
        ..SHARED
    };
    assert_eq!(outcome(events.clone(), &silent(29_000)).0, Outcome::CouldNotRun);
    assert_eq!(outcome(events, &silent(100)).0, Outcome::Failed);
}
