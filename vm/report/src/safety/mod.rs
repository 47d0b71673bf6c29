// SPDX-License-Identifier: MIT OR Apache-2.0
//! What safety takes: one line for each combination that loses nothing, with all that it asks for in return.

mod cheapest;
mod costs;
mod line;
mod ordeals;
mod proof;

use approaches::{Refresh, Since};
use results::races::Cell;

pub use self::{
    cheapest::{cheapest_packet, cheapest_removal},
    line::{Line, of},
};
use super::{
    catalogue,
    kinds::{Evidence, Found},
    page::{Patch, SafeLine, Safety},
    words::listed,
};

/// All lines: those without a patch first, then in the order of the catalogue.
pub fn lines(evidence: &Evidence) -> Vec<Line<'_>> {
    let (refreshes, gcs, maps) = (evidence.refreshes(), evidence.gcs(), evidence.maps());
    let mut lines: Vec<Line<'_>> = Vec::new();
    for refresh in refreshes {
        for (family, gcs) in catalogue::grouped(&gcs) {
            let first = lines.len();
            for gc in gcs {
                let safe: Vec<&str> = maps
                    .iter()
                    .copied()
                    .filter(|map| evidence.is_safe(&Cell::new(refresh, gc, map)))
                    .collect();
                if safe.is_empty() {
                    continue;
                }
                match lines[first..].iter_mut().find(|line| line.maps == safe) {
                    Some(line) => line.gcs.push(gc),
                    None => lines.push(Line { refresh, family, gcs: vec![gc], maps: safe }),
                }
            }
        }
    }
    // The sort keeps the order of what is alike.
    lines.sort_by_key(Line::patch);
    lines
}

/// The table.
pub fn table(evidence: &Evidence, lines: &[Line<'_>]) -> Safety {
    let not_run = evidence.cells().is_empty().then(|| "cargo xtask races".to_owned());
    Safety {
        lines: lines.iter().map(|line| shown(evidence, line)).collect(),
        contradicted: evidence.contradictions(),
        counted_in: costs::unit(&evidence.figures),
        timed_in: costs::unit(&evidence.native),
        not_run,
    }
}

fn shown(evidence: &Evidence, line: &Line<'_>) -> SafeLine {
    let cells = line.cells();
    let ordeals = ordeals::of(evidence, &cells);
    SafeLine {
        id: line.id(),
        refresh: line.refresh.into(),
        gcs: line.gcs.iter().map(|gc| (*gc).into()).collect(),
        family: catalogue::title(line.family).into(),
        patch: line.patch(),
        kernel: kernel(evidence, line),
        maps: line.maps.iter().map(|map| (*map).into()).collect(),
        elsewhere: elsewhere(evidence, line),
        cooperate: ordeals.cooperate(),
        packet: costs::packet(evidence, line),
        removal: costs::removal(evidence, line),
        opens_refused: proof::opens_refused(evidence, &cells),
        bytes: proof::bytes(evidence, line),
        flows: ordeals.flows(),
        gives_up: gives_up(line),
        broken_by: ordeals.broken_by(),
        breaks: ordeals.breaks(),
        survives: ordeals.survives(),
        untried: ordeals.untried(),
        preempted: proof::preempted(&evidence.preempting, &cells),
        emulated: proof::emulated(evidence, &cells),
        native: proof::native(evidence.here.as_ref(), &cells),
        stock: proof::stock(&evidence.stock, &cells),
    }
}

/// `6.1`.
fn version((major, minor): Since) -> String {
    format!("{major}.{minor}")
}

/// The oldest kernel of any of its columns on any of its maps, and who needs a younger one; or the series.
fn kernel(evidence: &Evidence, line: &Line<'_>) -> String {
    if line.patch() == Patch::With {
        let mut series: Vec<&str> = Vec::new();
        for gc in &line.gcs {
            let own = catalogue::strategy(gc).and_then(|gc| gc.series).unwrap_or(&evidence.series);
            for own in line.refresh_series().into_iter().chain([own]) {
                if !series.contains(&own) {
                    series.push(own);
                }
            }
        }
        series.retain(|name| !name.is_empty());
        return match series.as_slice() {
            [] => "a patched kernel".into(),
            series => format!("series {}", listed(series)),
        };
    }
    let of = |gc: &str| line.maps.iter().filter_map(|map| catalogue::since(line.refresh, gc, map)).min();
    let Some(oldest) = line.gcs.iter().filter_map(|gc| of(gc)).min() else { return "unknown".into() };
    let younger = line.gcs.iter().filter_map(|gc| Some((*gc, of(gc)?))).filter(|(_, since)| *since > oldest);
    let on = line.maps.iter().filter_map(|map| {
        let since = line.gcs.iter().filter_map(|gc| catalogue::since(line.refresh, gc, map)).min()?;
        (since > oldest).then_some((*map, since))
    });
    let also: Vec<String> =
        younger.chain(on).map(|(what, since)| format!("{what}: {}", version(since))).collect();
    if also.is_empty() { version(oldest) } else { format!("{} ({})", version(oldest), also.join(", ")) }
}

/// What becomes of the same columns on the maps of the table that are not the line's.
fn elsewhere(evidence: &Evidence, line: &Line<'_>) -> Vec<String> {
    let mut said = Vec::new();
    for map in evidence.maps().into_iter().filter(|map| !line.maps.contains(map)) {
        let mut words: Vec<String> = Vec::new();
        for gc in &line.gcs {
            let word = match evidence.found(&Cell::new(line.refresh, gc, map)) {
                // Another line's, or no cell at all.
                None | Some(Found::Safe) => continue,
                Some(Found::Unsafe(violation)) => violation.to_string(),
                Some(Found::Contradicted(violation, release)) => format!("{violation} on {release}"),
                Some(Found::Refused(errno)) => format!("refused, {errno}"),
                Some(Found::SafeInTheModel) => "safe in the model alone".into(),
                Some(Found::UnsafeInTheModel(violation)) => format!("{violation} in the model"),
                Some(Found::Undecided) => "not decided".into(),
            };
            if !words.contains(&word) {
                words.push(word);
            }
        }
        if !words.is_empty() {
            said.push(format!("{map}: {}", words.join(", ")));
        }
    }
    said
}

/// What the discipline gives up, and what its collectors do; one that not all of them give up names them.
fn gives_up(line: &Line<'_>) -> Vec<String> {
    let mut said: Vec<String> = Refresh::named(line.refresh)
        .into_iter()
        .flat_map(|refresh| refresh.gives_up)
        .map(|what| (*what).to_owned())
        .collect();
    let mut of_gcs: Vec<(&str, Vec<&str>)> = Vec::new();
    for gc in &line.gcs {
        for what in catalogue::strategy(gc).into_iter().flat_map(|strategy| strategy.gives_up) {
            match of_gcs.iter_mut().find(|(known, _)| known == what) {
                Some((_, gcs)) => gcs.push(gc),
                None => of_gcs.push((what, vec![gc])),
            }
        }
    }
    for (what, gcs) in of_gcs {
        let whose = if gcs.len() == line.gcs.len() { String::new() } else { format!(" ({})", listed(&gcs)) };
        let what = format!("{what}{whose}");
        if !said.contains(&what) {
            said.push(what);
        }
    }
    said
}

#[cfg(test)]
mod tests;
