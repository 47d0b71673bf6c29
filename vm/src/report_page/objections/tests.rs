// SPDX-License-Identifier: MIT OR Apache-2.0
use super::*;
use crate::races::made_up::{cell, matrix, model, refused as refuse, stressed, weighed as judged, witnessed};
use results::races::Violation::{Gap, LostRefresh};

fn objection(matrix: &Matrix, id: &str) -> Objection {
    weighed(matrix, &Figures::default()).into_iter().find(|objection| objection.id == id).unwrap()
}

fn said(objection: &Objection) -> String {
    objection.findings.iter().map(|f| f.text.as_str()).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_fate_follows_from_the_cells() {
    let safe = |gc: &str, map: &str| {
        [model(cell("replace", gc, map), &[]), stressed(cell("replace", gc, map), 10, 1_000_000, 0)]
    };
    let lost = |gc: &str, map: &str| {
        let here = || cell("replace", gc, map);
        [
            model(here(), &[LostRefresh]),
            stressed(here(), 10, 1_000_000, 500),
            witnessed(here(), LostRefresh, 5, 5),
        ]
    };
    let mut events = Vec::new();
    events.extend(safe("compare", "hash"));
    events.extend(safe("compare", "lru-hash"));
    events.extend(safe("prog", "hash"));
    events.extend(lost("prog", "lru-hash"));
    events.extend(lost("blind", "hash"));
    events.extend([
        model(cell("arena", "arena", "arena"), &[]),
        stressed(cell("arena", "arena", "arena"), 9, 9, 0),
    ]);
    events.push(model(cell("lock", "prog-lock", "hash"), &[Gap]));
    events.push(refuse(cell("lock", "prog-lock", "hash")));
    let matrix = judged(&events);
    let fates: Vec<Fate> = weighed(&matrix, &Figures::default()).iter().map(|o| o.fate).collect();
    use Fate::{Elsewhere, Fails, Holds, InPart, Undecided};
    assert_eq!(fates, [Undecided, Undecided, InPart, Elsewhere, Fails, Holds]);
    let blind = said(&objection(&matrix, "objection-nothing"));
    assert!(blind.contains("1 cell speaks to it: 1 with lost refresh."), "{blind}");
    assert!(
        blind.contains("at most 500 times lost refresh per million deletes (replace × blind on hash)"),
        "{blind}"
    );
    let arena = said(&objection(&matrix, "objection-arena"));
    assert!(arena.contains("no cell of it is on a hash map"), "{arena}");
    let lock = said(&objection(&matrix, "objection-spin-lock"));
    assert!(lock.contains("The kernel refuses on hash, EOPNOTSUPP: map_create."), "{lock}");
}

#[test]
fn other_evidence_makes_another_verdict() {
    let here = || cell("replace", "compare", "hash");
    let good = judged(&[model(here(), &[]), stressed(here(), 10, 10, 0)]);
    assert_eq!(objection(&good, "objection-proposal").fate, Fate::Holds);
    let bad = judged(&[
        model(here(), &[LostRefresh]),
        stressed(here(), 10, 10, 1),
        witnessed(here(), LostRefresh, 1, 1),
    ]);
    assert_eq!(objection(&bad, "objection-proposal").fate, Fate::Fails);
    let none = matrix(&[]);
    assert_eq!(objection(&none, "objection-proposal").fate, Fate::Undecided);
    assert!(said(&objection(&none, "objection-proposal")).contains("run `cargo xtask races`"));
}
