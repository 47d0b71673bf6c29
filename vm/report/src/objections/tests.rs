// SPDX-License-Identifier: MIT OR Apache-2.0
use evidence::races::made_up::{cell, model, refused as refuse, stressed, weighed as judged, witnessed};

use super::*;
use crate::safety;
use results::races::{
    RaceEvent,
    Violation::{Gap, LostRefresh},
};

fn all(events: &[RaceEvent]) -> Vec<Objection> {
    let evidence = Evidence { emulated: judged(events), series: "v3".into(), ..Evidence::default() };
    let lines = safety::lines(&evidence);
    weighed(&evidence, &lines, &safety::table(&evidence, &lines), &[])
}

fn find(objections: &[Objection], asked: Asked) -> &Objection {
    objections.iter().find(|objection| objection.id == asked.id()).unwrap()
}

fn said(objection: &Objection) -> String {
    objection.findings.iter().map(|f| f.text.as_str()).collect::<Vec<_>>().join(" ")
}

fn safe(refresh: &str, gc: &str, map: &str) -> [RaceEvent; 2] {
    [model(cell(refresh, gc, map), &[]), stressed(cell(refresh, gc, map), 10, 1_000_000, 0)]
}

fn lost(refresh: &str, gc: &str, map: &str) -> [RaceEvent; 3] {
    let here = || cell(refresh, gc, map);
    [
        model(here(), &[LostRefresh]),
        stressed(here(), 10, 1_000_000, 500),
        witnessed(here(), LostRefresh, 5, 5),
    ]
}

#[test]
fn the_fate_follows_from_the_cells() {
    let mut events = Vec::new();
    events.extend(safe("replace", "compare", "hash"));
    events.extend(safe("replace", "compare", "lru-hash"));
    events.extend(safe("replace", "prog", "hash"));
    events.extend(lost("replace", "prog", "lru-hash"));
    events.extend(lost("replace", "blind", "hash"));
    events.extend(safe("arena", "arena", "arena"));
    events.push(model(cell("lock", "prog-lock", "hash"), &[Gap]));
    events.push(refuse(cell("lock", "prog-lock", "hash")));
    let objections = all(&events);
    let fates: Vec<(Fate, Option<Patch>)> = objections.iter().map(|o| (o.fate, o.patch)).collect();
    use Fate::{Elsewhere, Fails, Holds, InPart, Undecided};
    assert_eq!(
        fates,
        [
            (Undecided, None),
            (Undecided, None),
            (InPart, Some(Patch::Without)),
            (Elsewhere, Some(Patch::Without)),
            (Fails, None),
            (Holds, Some(Patch::With))
        ]
    );
    let blind = said(find(&objections, Asked::Nothing));
    assert!(blind.contains("1 cell speaks to it: 1 with lost refresh."), "{blind}");
    assert!(
        blind.contains("at most 500 times lost refresh per million deletes (replace × blind on hash)"),
        "{blind}"
    );
    let lock = said(find(&objections, Asked::SpinLock));
    assert!(lock.contains("The kernel refuses on hash, EOPNOTSUPP: map_create."), "{lock}");
}

#[test]
fn the_best_form_comes_first_and_what_it_takes_follows() {
    let mut events = Vec::new();
    events.extend(safe("lock", "prog-lock", "hash"));
    events.extend(safe("replace", "compare", "hash"));
    let objections = all(&events);
    let lock = find(&objections, Asked::SpinLock);
    assert_eq!(lock.findings[0].text, "Without a patch, nothing is lost by lock with prog-lock on hash.");
    assert_eq!(lock.findings[0].links[0].1, "safe-lock-prog-lock-hash");
    assert!(
        lock.findings[1]
            .text
            .starts_with("What lock × prog-lock takes: kernel 6.1; who has to cooperate: not run")
    );
    let ours = find(&objections, Asked::Proposal);
    assert_eq!(ours.findings[0].text, "With the series, nothing is lost by replace with compare on hash.");
}

#[test]
fn other_evidence_makes_another_verdict() {
    let of = |events: &[RaceEvent]| {
        let objections = all(events);
        find(&objections, Asked::Proposal).fate
    };
    assert_eq!(of(&safe("replace", "compare", "hash")), Fate::Holds);
    assert_eq!(of(&lost("replace", "compare", "hash")), Fate::Fails);
    assert_eq!(of(&[]), Fate::Undecided);
    let none = all(&[]);
    assert!(said(find(&none, Asked::Proposal)).contains("run `cargo xtask races`"));
}
