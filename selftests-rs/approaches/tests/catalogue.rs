// SPDX-License-Identifier: MIT OR Apache-2.0
//! What every approach of the catalogue has to keep to.
#![allow(clippy::unwrap_used, reason = "helpers of a test fail it by a panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use approaches::{Column, Gc, MapKind, Place, Refresh, Since, cells};
use model::Program;
use model::dsl::Step;

/// The newest kernel that approaches are written for.
const NEWEST: Since = (7, 3);

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).into()
}

fn names() -> impl Iterator<Item = (&'static str, &'static str)> {
    let refreshes = Refresh::ALL.iter().map(|refresh| ("refresh", refresh.name));
    refreshes.chain(Gc::ALL.iter().map(|gc| ("gc", gc.name)))
}

fn lists() -> impl Iterator<Item = (&'static str, &'static [Step])> {
    let refreshes = Refresh::ALL.iter().map(|refresh| (refresh.name, refresh.steps));
    refreshes.chain(Gc::ALL.iter().map(|gc| (gc.name, gc.steps)))
}

#[test]
fn each_name_is_in_kebab_case_and_its_file_has_it() {
    for (folder, name) in names() {
        let kebab =
            name.split('-').all(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase()));
        assert!(kebab, "`{name}` is not in kebab case");
        let file = here().join("src").join(folder).join(format!("{}.rs", name.replace('-', "_")));
        let text = fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        assert!(text.contains(&format!("name: \"{name}\"")), "{} does not say `{name}`", file.display());
    }
}

#[test]
fn no_file_of_an_approach_is_left_out_of_the_catalogue() {
    for folder in ["refresh", "gc"] {
        let known: BTreeSet<_> =
            names().filter(|(of, _)| *of == folder).map(|(_, name)| name.replace('-', "_")).collect();
        let files: BTreeSet<_> = fs::read_dir(here().join("src").join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        assert_eq!(known, files);
    }
}

#[test]
fn each_label_is_unique_in_its_list_and_each_list_makes_a_program() {
    for (name, steps) in lists() {
        let labels: BTreeSet<_> = steps.iter().map(|step| step.label).collect();
        assert_eq!(labels.len(), steps.len(), "{name} has two steps of one name");
        Program::packet(steps).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(steps[0].gate, "{name} begins inside a call");
    }
    for column in Column::all() {
        Program::gc(column.steps, column.grace).unwrap_or_else(|error| panic!("{column}: {error}"));
    }
}

#[test]
fn what_people_read_of_an_approach_is_there() {
    for refresh in Refresh::ALL {
        assert!(!refresh.about.is_empty() && refresh.about.len() < 120, "{refresh}: {}", refresh.about);
        assert!(refresh.since <= NEWEST, "{refresh} needs a kernel that there is not");
        sentence(refresh.never_with);
    }
    for gc in Gc::ALL {
        assert!(!gc.about.is_empty() && gc.about.len() < 120, "{gc}: {}", gc.about);
        assert!(gc.since <= NEWEST, "{gc} needs a kernel that there is not");
        assert!(!gc.answers.is_empty(), "{gc} answers nobody");
        sentence(gc.never_with);
    }
    assert!(MapKind::ALL.iter().all(|map| map.since() <= NEWEST));
}

fn sentence(text: &str) {
    assert!(text.starts_with("Never with ") && text.ends_with('.'), "no sentence: {text:?}");
}

#[test]
fn each_cell_has_a_name_by_which_it_is_found_again() {
    let cells: Vec<Place> = cells::all().collect();
    assert!(cells.len() > 1000, "only {} cells", cells.len());
    for place in cells {
        assert_eq!(Place::of(&place.cell()), Some(place));
    }
}
