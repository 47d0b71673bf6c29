// SPDX-License-Identifier: MIT OR Apache-2.0
use evidence::races::made_up::{cell, disturbed, model, stressed, weighed, witnessed};
use results::races::{Circumstance::Spread, Violation::LostRefresh};

use super::*;
use crate::{
    figures_of,
    kinds::Natively,
    made_up::{bench, natively},
};

fn of(events: &[results::races::RaceEvent]) -> Evidence {
    Evidence { emulated: weighed(events), ..Evidence::default() }
}

fn safe(gc: &str, map: &str) -> Vec<results::races::RaceEvent> {
    vec![model(cell("lock", gc, map), &[]), stressed(cell("lock", gc, map), 1_000, 900_000, 0)]
}

fn lost(refresh: &str, gc: &str) -> Vec<results::races::RaceEvent> {
    let here = || cell(refresh, gc, "hash");
    vec![
        model(here(), &[LostRefresh]),
        witnessed(here(), LostRefresh, 5, 5),
        stressed(here(), 10, 1_000_000, 50),
    ]
}

const LOCK: Claim = Claim {
    id: "lock",
    says: "A lock is safe on hash.",
    about: &[About::Door(Door::Datapath)],
    holds: |e| e.loses_nothing("lock", &["prog-lock"], &["hash"]),
};

#[test]
fn a_claim_holds_fails_or_was_not_run() {
    let standing = |evidence: &Evidence| checked(&[LOCK], evidence).remove(0);
    let good = standing(&of(&safe("prog-lock", "hash")));
    assert_eq!((good.standing, good.basis.as_str()), (Standing::Holds, "lock: none in 900,000 deletes"));
    let bad = standing(&of(&lost("lock", "prog-lock")));
    assert_eq!(
        (bad.standing, bad.basis.as_str()),
        (Standing::Fails, "lock × prog-lock on hash: lost refresh")
    );
    assert_eq!(
        troubles(std::slice::from_ref(&bad)),
        ["the claim `lock` does not hold: lock × prog-lock on hash: lost refresh"]
    );
    let none = standing(&Evidence::default());
    assert_eq!(
        (none.standing, none.basis.as_str()),
        (Standing::NotRun, "lock × prog-lock on hash was not run")
    );
    assert!(troubles(&[good, none]).is_empty());
}

#[test]
fn a_claim_is_decided_by_the_model_alone_only_if_it_fails() {
    let modelled = |found: &[results::races::Violation]| {
        let mut matrix = evidence::races::made_up::matrix(&[model(cell("lock", "prog-lock", "hash"), found)]);
        matrix.rows[0].standing = serde_json::from_str("\"model_only\"").unwrap();
        checked(&[LOCK], &Evidence { emulated: matrix, ..Evidence::default() }).remove(0).standing
    };
    assert_eq!(modelled(&[]), Standing::NotRun);
    assert_eq!(modelled(&[LostRefresh]), Standing::Fails);
}

#[test]
fn a_claim_fails_where_native_evidence_disagrees() {
    let lost = natively("6.18.0", &[stressed(cell("lock", "prog-lock", "hash"), 9, 9, 1)]);
    let evidence = Evidence { here: Some(Natively::of(&lost)), ..of(&safe("prog-lock", "hash")) };
    let claim = checked(&[LOCK], &evidence).remove(0);
    assert_eq!(claim.standing, Standing::Fails);
    assert!(claim.basis.ends_with("lost refresh on 6.18.0"), "{}", claim.basis);
}

#[test]
fn a_name_that_the_catalogue_does_not_have_is_told() {
    assert_eq!(
        Evidence::default().loses_nothing("lock", &["nobody"], &["hash"]),
        Err(Doubt::NotRun("lock × nobody on hash was not run: the catalogue has no nobody".into()))
    );
}

#[test]
fn what_fails_weighs_more_than_what_was_not_run() {
    let not_run = || Err(Doubt::NotRun("one".into()));
    let fails = || Err(Doubt::Fails("two".into()));
    assert_eq!(all([Ok("a".into()), not_run(), fails()]), fails());
    assert_eq!(all([Ok("a".into()), not_run()]), not_run());
    assert_eq!(all([Ok("a".into()), Ok(String::new()), Ok("b".into())]), Ok("a; b".into()));
}

#[test]
fn without_evidence_no_claim_is_true_and_none_is_false() {
    let shown = checked(CLAIMS, &Evidence::default());
    let wrong: Vec<_> = shown.iter().filter(|claim| claim.standing != Standing::NotRun).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    let strange: Vec<_> = shown.iter().filter(|claim| claim.basis.contains("the catalogue has no")).collect();
    assert!(strange.is_empty(), "{strange:?}");
    let mut ids: Vec<&str> = CLAIMS.iter().map(|claim| claim.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), CLAIMS.len());
    assert!(CLAIMS.iter().all(|claim| !claim.about.is_empty() && claim.says.ends_with('.')));
}

#[test]
fn a_stress_that_sees_too_little_is_found() {
    let told = |in_time, late| {
        let mut event = stressed(cell("store", "prog", "hash"), 9, 9, 0);
        if let results::races::RaceEvent::Stressed { stress, .. } = &mut event {
            stress.followed = vec![results::races::Followed { in_time, late }];
        }
        vec![model(cell("store", "prog", "hash"), &[]), event]
    };
    let with = |in_time, late| of(&told(in_time, late)).sees_enough();
    assert_eq!(
        with(632, 368),
        Ok("1 of 1 run that saw no loss; store × prog on hash saw least, 0.39".into())
    );
    assert!(matches!(with(400, 600), Err(Doubt::Fails(_))));
    assert!(matches!(with(0, 0), Err(Doubt::NotRun(_))));
    // One type of map says nothing of another.
    let silent = cell("store", "prog", "lru-hash");
    let events = [told(632, 368), vec![model(silent.clone(), &[]), stressed(silent, 9, 9, 0)]].concat();
    assert!(matches!(of(&events).sees_enough(), Err(Doubt::NotRun(_))));
}

#[test]
fn nothing_is_safe_needs_a_cell_that_is_known_not_to_be() {
    let store = |e: &Evidence| e.none_is_safe(|cell| cell.refresh == "store");
    assert_eq!(store(&of(&lost("store", "blind"))), Ok("0 of 1 cells".into()));
    assert!(matches!(store(&of(&lost("lock", "blind"))), Err(Doubt::NotRun(_))));
    let mut events = lost("store", "blind");
    events.extend([
        model(cell("store", "prog", "hash"), &[]),
        stressed(cell("store", "prog", "hash"), 9, 9, 0),
    ]);
    assert!(matches!(store(&of(&events)), Err(Doubt::Fails(_))));
}

#[test]
fn circumstances_are_asked_by_name() {
    let mut events = safe("prog-lock", "hash");
    events.push(disturbed(cell("lock", "prog-lock", "hash"), Spread, 1_000_000, 7));
    let evidence = of(&events);
    let asked = ("lock", "prog-lock", "hash");
    assert_eq!(
        evidence.breaks(asked.0, asked.1, asked.2, Spread),
        Ok("a flow's packets on two CPUs: lost refresh, 7.0 per million deletes".into())
    );
    assert!(matches!(evidence.survives(asked.0, asked.1, asked.2, Spread), Err(Doubt::Fails(_))));
    let other = results::races::Circumstance::Collision;
    assert!(matches!(evidence.survives(asked.0, asked.1, asked.2, other), Err(Doubt::NotRun(_))));
}

#[test]
fn costs_are_claims_as_well() {
    let evidence = Evidence { figures: figures_of(&bench()), ..Evidence::default() };
    assert_eq!(
        evidence.removal_is_cheaper(&["prog-array"], "compare-batch"),
        Ok("prog-array 420, compare-batch 440 instructions".into())
    );
    assert!(matches!(evidence.removal_is_cheaper(&["blind"], "compare-batch"), Err(Doubt::Fails(_))));
    assert!(matches!(evidence.removal_is_cheaper(&["nobody"], "compare-batch"), Err(Doubt::NotRun(_))));
    assert!(evidence.undercuts_the_proposal("prog-array").is_ok());
    assert_eq!(
        evidence.costs_more_on_its_kernel("compare hit"),
        Ok("1.01 × a plain delete of the same kernel, 0.99 × that of the base".into())
    );
    assert!(matches!(evidence.costs_more_on_its_kernel("nothing"), Err(Doubt::NotRun(_))));
}

#[test]
fn whoever_loses_on_a_kernel_that_preempts_packets_is_named() {
    let asked = |pinned, other| {
        let emulated = of(&[safe("prog-pinned", "hash"), safe("prog-lock", "hash")].concat());
        let ran = ["prog-pinned", "prog-lock"].into_iter().zip([pinned, other]);
        let ran: Vec<_> = ran.map(|(gc, lost)| stressed(cell("lock", gc, "hash"), 9, 9, lost)).collect();
        let preempting = vec![Natively::of(&natively("7.3.0-rt", &ran))];
        Evidence { preempting, ..emulated }.preempted_lose_with("prog-pinned")
    };
    assert!(asked(1, 0).unwrap().starts_with("1 cell with prog-pinned lose, 1 others"));
    assert!(matches!(asked(0, 0), Err(Doubt::Fails(_))));
    assert!(matches!(asked(1, 1), Err(Doubt::Fails(_))));
    assert!(matches!(Evidence::default().preempted_lose_with("prog-pinned"), Err(Doubt::NotRun(_))));
}
