// SPDX-License-Identifier: MIT OR Apache-2.0
//! Three ways into the report: for who writes a datapath, for who maintains BPF, and for who believes nothing unseen.

use approaches::{MapKind, Refresh};

use super::{
    catalogue,
    kinds::Evidence,
    page::{ClaimShown, Door, DoorItem, DoorShown, HERE, Patch, Standing},
    safety::{Line, cheapest_packet, of},
    words::{listed, many},
};

/// So many lines are named for a map.
const NAMED: usize = 3;

/// All three.
pub fn all(evidence: &Evidence, lines: &[Line<'_>], claims: &[ClaimShown]) -> Vec<DoorShown> {
    Door::ALL
        .into_iter()
        .map(|door| {
            let (says, mut items) = match door {
                Door::Datapath => datapath(evidence, lines),
                Door::Kernel => (kernel(lines), Vec::new()),
                Door::Sceptic => sceptic(evidence),
            };
            items.extend(claimed(claims, door));
            DoorShown { id: door.id().into(), asks: door.asks().into(), says, items }
        })
        .collect()
}

fn lose_nothing(number: usize) -> String {
    format!("{} {} nothing", many(number, "combination"), if number == 1 { "loses" } else { "lose" })
}

/// The safe lines without a patch, map by map, with the files to copy.
fn datapath(evidence: &Evidence, lines: &[Line<'_>]) -> (Vec<String>, Vec<DoorItem>) {
    let hashes: Vec<&str> = MapKind::HASHES.map(MapKind::name).into();
    let mut items = Vec::new();
    for map in evidence.maps().into_iter().filter(|map| hashes.contains(map)) {
        let mut safe = of(lines, Patch::Without);
        safe.retain(|line| line.maps.contains(&map));
        // What costs a packet of a live flow the least comes first; what was not measured, last.
        safe.sort_by(|a, b| live(evidence, a).total_cmp(&live(evidence, b)));
        let mut parts: Vec<(String, Vec<String>)> =
            safe.iter().take(NAMED).map(|line| to_copy(line)).collect();
        if safe.is_empty() {
            parts
                .push(("Nothing without a patch is safe here, by the evidence there is.".into(), Vec::new()));
        }
        if safe.len() > NAMED {
            parts.push((format!("{} more in the table.", safe.len() - NAMED), Vec::new()));
        }
        items.push(DoorItem { head: map.into(), parts, link: safe.first().map(|line| line.id()) });
    }
    let free = of(lines, Patch::Without).len();
    let says = if evidence.cells().is_empty() {
        "Not known yet: no race was run.".to_owned()
    } else if free == 0 {
        "By the evidence there is, nothing without a patch loses nothing.".to_owned()
    } else {
        format!(
            "Choose by the type of your map: {} without a patch. Copy the header into the datapath and the collector \
             beside it; whoever else writes to the map is in the column of who has to cooperate. What takes stripes, or the \
             lock in the value, is there to be included: docs/KEEP.md.",
            lose_nothing(free)
        )
    };
    (vec![says], items)
}

fn live(evidence: &Evidence, line: &Line<'_>) -> f64 {
    cheapest_packet(&evidence.figures, &[line]).map_or(f64::INFINITY, |(_, cost)| cost)
}

/// A line with what it must never meet, and its files.
fn to_copy(line: &Line<'_>) -> (String, Vec<String>) {
    let never = Refresh::named(line.refresh).map_or("", |refresh| refresh.never_with);
    let says = format!("{} with {}. {never}", line.refresh, listed(&line.gcs));
    let mut files: Vec<String> = catalogue::header(line.refresh).into_iter().collect();
    for file in line.gcs.iter().filter_map(|gc| catalogue::collector(gc)) {
        if !files.contains(&file) {
            files.push(file);
        }
    }
    (says.trim_end().into(), files)
}

/// The claims that speak to whoever stands there. Those that were not run are counted in one line.
fn claimed(claims: &[ClaimShown], door: Door) -> Vec<DoorItem> {
    let (not_run, run): (Vec<&ClaimShown>, Vec<&ClaimShown>) = claims
        .iter()
        .filter(|claim| claim.about.iter().any(|about| about == door.id()))
        .partition(|claim| claim.standing == Standing::NotRun);
    let mut items: Vec<DoorItem> = run
        .into_iter()
        .map(|claim| DoorItem {
            head: claim.standing.words().into(),
            parts: match claim.standing {
                Standing::Holds | Standing::NotRun => vec![(claim.says.clone(), Vec::new())],
                Standing::Fails => {
                    vec![(claim.says.clone(), Vec::new()), (format!("{}.", claim.basis), Vec::new())]
                }
            },
            link: Some(claim.id.clone()),
        })
        .collect();
    if !not_run.is_empty() {
        let said = format!("{} about it, for which the evidence was not run.", many(not_run.len(), "claim"));
        items.push(DoorItem {
            head: "not run".into(),
            parts: vec![(said, Vec::new())],
            link: Some("claims".into()),
        });
    }
    items
}

/// Where the proposal stands; what stays true of it and its weak points are claims.
fn kernel(lines: &[Line<'_>]) -> Vec<String> {
    let (with, without) = (of(lines, Patch::With), of(lines, Patch::Without));
    let on = |lines: &[&Line<'_>]| {
        let mut maps: Vec<&str> = lines.iter().flat_map(|line| line.maps.iter().copied()).collect();
        catalogue::sort_maps(&mut maps);
        maps.dedup();
        if maps.is_empty() { "no map".to_owned() } else { listed(&maps) }
    };
    let says = if lines.is_empty() {
        "Not known yet: no combination is safe by the evidence there is.".to_owned()
    } else {
        format!(
            "With the series, {}, on {}. Without a patch, {}, on {}.",
            lose_nothing(with.len()),
            on(&with),
            lose_nothing(without.len()),
            on(&without)
        )
    };
    vec![says]
}

/// One command, and what it has shown here.
fn sceptic(evidence: &Evidence) -> (Vec<String>, Vec<DoorItem>) {
    let said = match &evidence.here {
        None => "It was not run on this machine yet.".to_owned(),
        Some(here) => {
            let ran = here.matrix.rows.iter().filter(|row| row.stress.is_some()).count();
            let lost = here
                .matrix
                .rows
                .iter()
                .filter(|row| row.stress.as_ref().is_some_and(|stress| stress.violations.total() > 0))
                .count();
            format!(
                "On {} it ran {}; something went wrong in {lost} of them.",
                here.machine,
                many(ran, "cell")
            )
        }
    };
    let says = vec![
        "One command runs the races on your own kernel: no patch, no virtual machine, no emulator.".into(),
    ];
    let item = DoorItem {
        head: "as root, from the top of the repository".into(),
        parts: vec![(said, vec![HERE.into()])],
        link: Some("natively".into()),
    };
    (says, vec![item])
}

#[cfg(test)]
mod tests {
    use evidence::races::made_up::{cell, model, stressed, weighed};

    use super::*;
    use crate::{figures_of, made_up::bench, safety};

    #[test]
    fn what_costs_a_live_packet_the_least_comes_first_with_its_files() {
        let mut events = Vec::new();
        for (refresh, gc) in [("replace", "prog"), ("lock", "prog-lock"), ("half-life", "compare")] {
            events.extend([
                model(cell(refresh, gc, "hash"), &[]),
                stressed(cell(refresh, gc, "hash"), 9, 9, 0),
            ]);
        }
        let evidence =
            Evidence { emulated: weighed(&events), figures: figures_of(&bench()), ..Evidence::default() };
        let doors = all(&evidence, &safety::lines(&evidence), &[]);
        let hash = &doors[0].items[0];
        let said: Vec<&str> = hash.parts.iter().map(|(said, _)| said.as_str()).collect();
        assert!(said.len() == 2 && said[0].starts_with("lock with prog-lock."), "{said:?}");
        assert_eq!(
            hash.parts[0].1,
            ["selftests-rs/lab/src/bpf/refresh/lock.h", "selftests-rs/lab/src/bpf/gc/prog-lock.bpf.c"]
        );
        assert_eq!(doors[2].items[0].parts[0].1, [HERE]);
    }
}
