// SPDX-License-Identifier: MIT OR Apache-2.0
use evidence::races::made_up::{disturbed, model, stressed, weighed, witnessed};
use results::races::{
    Circumstance::{HandDeletes, Spread},
    Violation::LostRefresh,
};

use super::*;
use crate::{
    figures_of,
    kinds::Natively,
    made_up::{bench, here, native, natively, races},
    numbers::{times, value},
    page::Preempted,
};

fn evidence() -> Evidence {
    Evidence {
        emulated: crate::kinds::matrix(&races()),
        here: Some(Natively::of(&here())),
        figures: figures_of(&bench()),
        native: figures_of(&native()),
        series: "v3".into(),
        ..Evidence::default()
    }
}

fn find<'s>(safety: &'s Safety, refresh: &str) -> &'s SafeLine {
    safety.lines.iter().find(|line| line.refresh == refresh).unwrap()
}

#[test]
fn what_needs_no_patch_comes_first_and_a_line_holds_one_family_on_the_same_maps() {
    let evidence = evidence();
    let lines = lines(&evidence);
    let names: Vec<String> = lines.iter().map(Line::words).collect();
    assert_eq!(
        names,
        [
            "lock with prog-lock and prog-lock-array on hash",
            "arena with arena on arena",
            "replace with compare on hash",
            "gone with gone on hash"
        ]
    );
    let patches: Vec<Patch> = lines.iter().map(Line::patch).collect();
    assert_eq!(patches, [Patch::Without, Patch::Without, Patch::With, Patch::Unknown]);
    let safety = table(&evidence, &lines);
    assert_eq!(find(&safety, "replace").kernel, "series v3");
    assert_eq!(find(&safety, "gone").kernel, "unknown");
    assert_eq!(find(&safety, "gone").family, catalogue::OTHERS);
    assert_eq!(find(&safety, "lock").elsewhere, ["lru-hash: refused, EOPNOTSUPP"]);
}

#[test]
fn who_has_to_cooperate_follows_from_the_runs_that_broke() {
    let evidence = evidence();
    let safety = table(&evidence, &lines(&evidence));
    let lock = find(&safety, "lock");
    assert_eq!(lock.cooperate, "all writers");
    assert_eq!(lock.flows, "may move between CPUs");
    assert!(lock.breaks[0].starts_with("an agent's plain update with prog-lock: lost refresh, 7.0k per"));
    assert_eq!(lock.breaks.len(), 2);
    assert!(lock.survives.iter().any(|said| said.starts_with("a delete by hand: none in 100,000 deletes")));
    assert!(
        lock.survives.contains(&"two flows with one tag: by the model alone".into()),
        "{:?}",
        lock.survives
    );
    assert!(lock.untried.is_empty());
    assert_eq!(find(&safety, "replace").cooperate, "nobody");
}

#[test]
fn a_schedule_of_the_model_breaks_what_free_running_did_not_happen_to_break() {
    let here = || Cell::new("lock", "prog-lock", "hash");
    let mut matrix = weighed(&[
        model(here(), &[]),
        stressed(here(), 10, 10, 0),
        disturbed(here(), Spread, 100, 0),
        disturbed(here(), HandDeletes, 100, 0),
    ]);
    let worse = &mut matrix.rows[0].model.as_mut().unwrap().if_worse;
    worse.entry(Spread).or_default().insert(LostRefresh, Vec::new());
    let evidence = Evidence { emulated: matrix, ..Evidence::default() };
    let safety = table(&evidence, &lines(&evidence));
    assert_eq!(safety.lines[0].flows, "must stay on one CPU");
    assert!(safety.lines[0].breaks[0].ends_with("lost refresh, by a schedule of the model"));
    assert_eq!(safety.lines[0].cooperate, "nobody");
}

#[test]
fn counted_and_timed_prices_stay_apart() {
    let evidence = evidence();
    let safety = table(&evidence, &lines(&evidence));
    assert_eq!((safety.counted_in.as_str(), safety.timed_in.as_str()), ("instructions, tcg", "ns, native"));
    let lock = find(&safety, "lock");
    let told = |price: &crate::page::Price| {
        format!("{} {} {}", price.of, value(price.value), times(price.ratio.unwrap()))
    };
    let counted: Vec<String> = lock.packet.counted.iter().map(told).collect();
    assert_eq!(counted, ["live 260 1.23 ×", "due 260 1.23 ×", "new 700 1.08 ×"]);
    let removal: Vec<String> = lock.removal.counted.iter().map(told).collect();
    assert_eq!(removal, ["one call each 2,200 1.54 ×", "in bulk 900 0.63 ×"]);
    assert_eq!(lock.removal.counted[1].by.as_deref(), Some("prog-lock-array"));
    assert!(lock.removal.timed.is_empty(), "nothing of it was timed");
    assert_eq!(lock.packet.timed.len(), 3);
}

#[test]
fn what_a_line_takes_besides_is_told() {
    let evidence = evidence();
    let safety = table(&evidence, &lines(&evidence));
    let lock = find(&safety, "lock");
    assert_eq!(lock.opens_refused, "250 emulated");
    assert_eq!(lock.bytes, "144");
    assert!(lock.native.starts_with("none in 28,000,000 refreshes and 600,000 deletes"), "{}", lock.native);
    assert_eq!(lock.stock, "not run");
    assert!(lock.emulated.starts_with("2 cells: no schedule in"), "{}", lock.emulated);
}

#[test]
fn what_loses_natively_is_safe_no_more_and_that_is_said_loudly() {
    let lost = natively("6.18.0", &[stressed(Cell::new("lock", "prog-lock", "hash"), 1_000, 1_000, 1)]);
    let evidence = Evidence { here: Some(Natively::of(&lost)), ..evidence() };
    let lines = lines(&evidence);
    assert_eq!(lines[0].words(), "lock with prog-lock-array on hash");
    let safety = table(&evidence, &lines);
    assert_eq!(
        safety.contradicted,
        [
            "lock × prog-lock on hash is safe by the evidence under emulation and is not on 6.18.0: lost refresh"
        ]
    );
}

#[test]
fn what_is_not_seen_natively_is_no_safer_for_it() {
    let here = || Cell::new("store", "blind", "hash");
    let emulated = weighed(&[
        model(here(), &[LostRefresh]),
        witnessed(here(), LostRefresh, 9, 9),
        stressed(here(), 10, 10, 1),
    ]);
    let clean = natively("6.18.0", &[stressed(here(), 1_000, 1_000, 0)]);
    let evidence = Evidence { emulated, here: Some(Natively::of(&clean)), ..Evidence::default() };
    assert!(lines(&evidence).is_empty() && evidence.contradictions().is_empty());
}

#[test]
fn what_a_kernel_that_preempts_packets_breaks_is_told_apart_and_safe_elsewhere() {
    let on = |lost| {
        natively("7.3.0-rt-v3", &[stressed(Cell::new("lock", "prog-lock", "hash"), 1_000, 1_000, lost)])
    };
    let both = |lost| {
        let rows = ["prog-lock", "prog-lock-array"]
            .map(|gc| stressed(Cell::new("lock", gc, "hash"), 1_000, 1_000, lost));
        Natively::of(&natively("7.3.0-rt-v3", &rows))
    };
    let told = |preempting: Vec<Natively>| {
        let evidence = Evidence { preempting, ..evidence() };
        let safety = table(&evidence, &lines(&evidence));
        assert!(safety.contradicted.is_empty(), "{:?}", safety.contradicted);
        find(&safety, "lock").preempted.clone()
    };
    assert_eq!(told(Vec::new()), Preempted { broke: None, words: "not run".into() });
    let broke = told(vec![Natively::of(&on(3)), Natively::of(&on(0))]);
    assert_eq!(broke.broke, Some(true));
    assert!(
        broke.words.starts_with("3 violations, 3.0k per million deletes, on 7.3.0-rt-v3; 1 of"),
        "{}",
        broke.words
    );
    // One of two cells is no evidence that the line stands.
    let half = told(vec![Natively::of(&on(0))]);
    assert_eq!(half.broke, None);
    assert!(half.words.starts_with("1 of 2 cells: none in 1,000 refreshes"), "{}", half.words);
    let stood = told(vec![both(0)]);
    assert_eq!(stood.broke, Some(false));
    assert!(stood.words.starts_with("2 cells: none in 2,000 refreshes and 2,000 deletes"), "{}", stood.words);
}
