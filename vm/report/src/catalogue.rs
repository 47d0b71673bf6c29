// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the catalogue of approaches has of the names in the evidence. Names stay words there, so that evidence which was kept
//! may name an approach that is gone: it is shown under [`OTHERS`].

use approaches::{Column, Family, Form, Gc, MapKind, Refresh, Runs, Since};

/// The head of what the catalogue does not have.
pub const OTHERS: &str = "Others";

/// What a name of a strategy has behind it when it waits for a grace period.
const GRACE: &str = "+grace";

/// The strategy of a column.
pub fn strategy(gc: &str) -> Option<Gc> {
    Gc::named(gc.strip_suffix(GRACE).unwrap_or(gc))
}

/// The group that a column stands in.
pub fn family(gc: &str) -> Option<Family> {
    strategy(gc).map(|strategy| strategy.family)
}

/// The head of a group.
pub fn title(family: Option<Family>) -> &'static str {
    family.map_or(OTHERS, Family::title)
}

/// All groups, in the order of the matrix; that of strangers is the last.
pub fn families() -> impl Iterator<Item = Option<Family>> {
    Family::ALL.into_iter().map(Some).chain([None])
}

/// It belongs to the proposal.
pub fn is_proposal(gc: &str) -> bool {
    family(gc).is_some_and(Family::is_proposal)
}

/// It takes a kernel with some series.
pub fn is_patched(gc: &str) -> bool {
    strategy(gc).is_some_and(|strategy| strategy.patched)
}

/// A map with keys, which the kernel looks after.
pub fn is_hash(map: &str) -> bool {
    MapKind::named(map).is_some_and(|map| MapKind::HASHES.contains(&map))
}

/// How a strategy is called: once for each entry, or for many.
pub fn form(gc: &str) -> Option<Form> {
    match strategy(gc)?.runs {
        Runs::Program(_, form) => Some(form),
        _ => None,
    }
}

/// Columns by group, in the order of the catalogue; none is left out.
pub fn grouped<'a>(gcs: &[&'a str]) -> Vec<(Option<Family>, Vec<&'a str>)> {
    let mut groups: Vec<(Option<Family>, Vec<&str>)> = families()
        .map(|group| (group, gcs.iter().copied().filter(|gc| family(gc) == group).collect()))
        .collect();
    groups.retain(|(_, gcs)| !gcs.is_empty());
    groups
}

/// Names of disciplines in the order of the catalogue; strangers last.
pub fn sort_refreshes(names: &mut [&str]) {
    names.sort_by_key(|name| place(Refresh::ALL.iter().position(|one| one.name == *name)));
}

/// The same for columns.
pub fn sort_columns(names: &mut [&str]) {
    let order: Vec<String> = Column::all().map(|column| column.to_string()).collect();
    names.sort_by_key(|name| place(order.iter().position(|one| one == name)));
}

/// The same for maps.
pub fn sort_maps(names: &mut [&str]) {
    names.sort_by_key(|name| place(MapKind::ALL.iter().position(|one| one.name() == *name)));
}

fn place(found: Option<usize>) -> usize {
    found.unwrap_or(usize::MAX)
}

/// The oldest kernel of a discipline with a strategy on a map.
pub fn since(refresh: &str, gc: &str, map: &str) -> Option<Since> {
    let (refresh, gc, map) = (Refresh::named(refresh)?, strategy(gc)?, MapKind::named(map)?);
    Some(refresh.since.max(gc.since).max(map.since()))
}

/// The file that a datapath includes.
pub fn header(refresh: &str) -> Option<String> {
    let refresh = Refresh::named(refresh)?;
    Some(match refresh {
        // A table of its own, no map.
        Refresh::Arena => "selftests-rs/lab/src/bpf/arena.h".into(),
        _ => format!("selftests-rs/lab/src/bpf/refresh/{}.h", refresh.name),
    })
}

/// The file of the collector: its program, or what user space does.
pub fn collector(gc: &str) -> Option<String> {
    let gc = strategy(gc)?;
    Some(match gc.runs {
        Runs::Program(object, _) | Runs::OnFlowCpu(object) => {
            format!("selftests-rs/lab/src/bpf/gc/{object}.bpf.c")
        }
        Runs::UserSpace => format!("selftests-rs/lab/src/gc/{}.rs", gc.name.replace('-', "_")),
        Runs::Timer { .. } => "selftests-rs/lab/src/bpf/timer.h".into(),
        Runs::Swap => "selftests-rs/lab/src/swap.rs".into(),
        Runs::Arena => "selftests-rs/lab/src/arena.rs".into(),
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_files_of_every_approach_are_there() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let headers = Refresh::ALL.iter().filter_map(|refresh| header(refresh.name));
        let collectors = Gc::ALL.iter().filter_map(|gc| collector(gc.name));
        let missing: Vec<_> = headers.chain(collectors).filter(|path| !root.join(path).exists()).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn every_strategy_has_its_group_and_a_strange_one_is_shown_as_well() {
        let groups = grouped(&["compare+grace", "blind", "gone"]);
        assert_eq!(
            groups,
            [
                (Some(Family::Today), vec!["blind"]),
                (Some(Family::Compare), vec!["compare+grace"]),
                (None, vec!["gone"])
            ]
        );
        let mut names = ["gone", "compare+grace", "compare", "blind"];
        sort_columns(&mut names);
        assert_eq!(names, ["blind", "compare", "compare+grace", "gone"]);
    }

    #[test]
    fn a_pair_is_as_young_as_the_youngest_of_its_parts() {
        assert_eq!(since("store", "blind", "rhash"), Some(MapKind::Rhash.since()));
        assert_eq!(since("gone", "blind", "rhash"), None);
    }

    #[test]
    fn a_collector_is_a_program_or_a_file_of_user_space() {
        assert_eq!(collector("prog-array").as_deref(), Some("selftests-rs/lab/src/bpf/gc/prog.bpf.c"));
        assert_eq!(collector("lock-recheck").as_deref(), Some("selftests-rs/lab/src/gc/lock_recheck.rs"));
    }
}
