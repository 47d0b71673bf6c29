// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a claim may ask of the evidence.

use approaches::{MapKind, Refresh};
use evidence::races::{Matrix, Row, SEEN, figure, per_million, seen};
use results::races::{Cell, Circumstance, Violation};

use super::{Doubt, Held, all};
use crate::{
    alternatives::{of_the_proposal, overhead, removals},
    catalogue::strategy,
    comparison::comparable,
    figures::Figures,
    kinds::{Evidence, Found, Ordeal, counted},
    numbers::{count, short, times, value},
    words::many,
};

fn fails(why: impl Into<String>) -> Held {
    Err(Doubt::Fails(why.into()))
}

fn not_run(what: impl Into<String>) -> Held {
    Err(Doubt::NotRun(what.into()))
}

impl Evidence {
    /// Nothing goes wrong in these cells, by all evidence.
    pub fn loses_nothing(&self, refresh: &str, gcs: &[&str], maps: &[&str]) -> Held {
        let cells: Vec<Cell> = gcs
            .iter()
            .flat_map(|gc| maps.iter().map(|map| Cell::new(refresh, gc, map)).collect::<Vec<_>>())
            .collect();
        let deletes: u64 = cells
            .iter()
            .flat_map(|cell| self.rows(cell))
            .filter_map(|row| row.stress.as_ref())
            .map(|stress| stress.deletes)
            .sum();
        all(cells.iter().map(|cell| match self.found(cell) {
            Some(Found::Safe) => Ok(String::new()),
            Some(Found::Unsafe(violation)) => fails(format!("{cell}: {violation}")),
            Some(Found::Contradicted(violation, release)) => {
                fails(format!("{cell}: {violation} on {release}"))
            }
            Some(Found::UnsafeInTheModel(violation)) => fails(format!("{cell}: {violation} in the model")),
            Some(Found::Refused(errno)) => fails(format!("{cell}: refused by the kernel, {errno}")),
            Some(Found::SafeInTheModel) => not_run(format!("{cell} has no evidence of a kernel")),
            Some(Found::Undecided) => not_run(format!("{cell} is not decided")),
            None => not_run(unknown(cell)),
        }))
        .map(|_| format!("{refresh}: none in {} deletes", count(deletes)))
    }

    /// Every run without a loss, of a cell by itself that the model finds safe, would have seen as many as its bound has it.
    pub fn sees_enough(&self) -> Held {
        let emulated = std::iter::once(&self.emulated);
        let matrices = emulated.chain(self.natively().chain(&self.preempting).map(|native| &native.matrix));
        let rows = matrices.flat_map(|matrix| &matrix.rows);
        let safe = rows.filter(|row| row.model_is_clean());
        let runs = safe.filter_map(|row| Some((&row.cell, row.stress.as_ref()?)));
        let clean: Vec<_> = runs.filter(|(_, stress)| stress.violations.lost_refresh == 0).collect();
        let seen: Vec<_> = clean.iter().filter_map(|(cell, stress)| Some((cell, seen(stress)?))).collect();
        // Of each type of map at least one says so.
        let told = |map: &str| seen.iter().any(|(cell, _)| cell.map == map);
        if let Some((cell, _)) = clean.iter().find(|(cell, _)| !told(&cell.map)) {
            return not_run(format!("no run on {} says how many refreshes were followed in time", cell.map));
        }
        match seen.iter().min_by(|(_, one), (_, other)| one.total_cmp(other)) {
            None => not_run("no run says how many refreshes were followed in time"),
            Some((cell, share)) if *share < SEEN => fails(format!("{cell}: {}", figure(*share))),
            Some((cell, share)) => Ok(format!(
                "{} of {} that saw no loss; {cell} saw least, {}",
                seen.len(),
                many(clean.len(), "run"),
                figure(*share)
            )),
        }
    }

    /// Something goes wrong in the cell, by all evidence.
    pub fn goes_wrong(&self, refresh: &str, gc: &str, map: &str) -> Held {
        let cell = Cell::new(refresh, gc, map);
        match self.found(&cell) {
            Some(Found::Unsafe(violation)) => Ok(format!("{cell}: {}", self.rate(&cell, violation))),
            Some(Found::Contradicted(violation, release)) => Ok(format!("{cell}: {violation} on {release}")),
            Some(Found::Safe) => fails(format!("{cell} loses nothing")),
            Some(Found::Refused(errno)) => fails(format!("{cell} is refused by the kernel, {errno}")),
            Some(Found::SafeInTheModel | Found::UnsafeInTheModel(_)) => {
                not_run(format!("{cell} has no evidence of a kernel"))
            }
            Some(Found::Undecided) => not_run(format!("{cell} is not decided")),
            None => not_run(unknown(&cell)),
        }
    }

    /// This goes wrong in the cell, whatever else does.
    pub fn shows(&self, refresh: &str, gc: &str, map: &str, violation: Violation) -> Held {
        let cell = Cell::new(refresh, gc, map);
        self.goes_wrong(refresh, gc, map)?;
        let model = self.rows(&cell).any(|row| {
            row.model.as_ref().is_some_and(|model| model.counterexamples.contains_key(&violation))
        });
        let seen = self
            .rows(&cell)
            .any(|row| row.stress.as_ref().is_some_and(|stress| stress.violations.of(violation) > 0));
        if model || seen {
            Ok(format!("{cell}: {}", self.rate(&cell, violation)))
        } else {
            fails(format!("{cell} shows no {violation}"))
        }
    }

    /// A violation with its highest rate of any kernel.
    fn rate(&self, cell: &Cell, violation: Violation) -> String {
        let most = self
            .rows(cell)
            .filter_map(|row| row.stress.as_ref())
            .map(|stress| per_million(stress.violations.of(violation), stress.deletes))
            .fold(0.0, f64::max);
        if most > 0.0 {
            format!("{violation}, {} per million deletes", short(most))
        } else {
            format!("{violation}, by a replayed schedule")
        }
    }

    /// None of these cells is safe, and at least one of them is known not to be.
    pub fn none_is_safe(&self, keep: impl Fn(&Cell) -> bool) -> Held {
        let (mut safe, mut decided, mut asked) = (Vec::new(), 0_u64, 0_u64);
        for cell in self.cells().into_iter().filter(|cell| keep(cell)) {
            asked += 1;
            match self.found(cell) {
                Some(Found::Safe) => safe.push(cell.to_string()),
                Some(Found::Unsafe(_) | Found::Refused(_) | Found::Contradicted(..)) => decided += 1,
                _ => {}
            }
        }
        match (safe.first(), decided) {
            (Some(first), _) => fails(format!("{} of {} are safe, the first {first}", safe.len(), asked)),
            (None, 0) => not_run("no such cell has evidence of a kernel"),
            (None, decided) => Ok(format!("0 of {} cells", count(decided))),
        }
    }

    /// The cell breaks in this circumstance.
    pub fn breaks(&self, refresh: &str, gc: &str, map: &str, circumstance: Circumstance) -> Held {
        let cell = Cell::new(refresh, gc, map);
        let words = circumstance.words();
        match self.ordeal(&cell, circumstance) {
            Ordeal::Breaks(violation, Some((seen, deletes))) => {
                Ok(format!("{words}: {violation}, {} per million deletes", short(per_million(seen, deletes))))
            }
            Ordeal::Breaks(violation, None) => {
                Ok(format!("{words}: {violation}, by a schedule of the model"))
            }
            Ordeal::Survives(_) | Ordeal::SurvivesInTheModel => fails(format!("{cell} survives {words}")),
            Ordeal::NotRun => not_run(format!("{cell} with {words} was not run")),
        }
    }

    /// The cell does not break in this circumstance.
    pub fn survives(&self, refresh: &str, gc: &str, map: &str, circumstance: Circumstance) -> Held {
        let cell = Cell::new(refresh, gc, map);
        let words = circumstance.words();
        match self.ordeal(&cell, circumstance) {
            Ordeal::Survives(deletes) => Ok(format!("{words}: none in {} deletes", count(deletes.all))),
            Ordeal::SurvivesInTheModel => not_run(format!("{cell} with {words} ran in the model alone")),
            Ordeal::Breaks(violation, _) => fails(format!("{cell} with {words}: {violation}")),
            Ordeal::NotRun => not_run(format!("{cell} with {words} was not run")),
        }
    }

    /// On the host's own kernel, free running counted nothing.
    pub fn clean_here(&self, refresh: &str, gc: &str, map: &str) -> Held {
        let Some(here) = &self.here else { return not_run("no cell ran on this machine's own kernel") };
        clean(&here.matrix, &Cell::new(refresh, gc, map), &here.release)
    }

    /// Of the safe cells, on kernels that preempt packets some with `gc` lose, and no other does.
    pub fn preempted_lose_with(&self, gc: &str) -> Held {
        let (mut lost, mut others, mut deletes) = (Vec::new(), 0_u64, 0);
        let rows = self.preempting.iter().flat_map(|kernel| &kernel.matrix.rows);
        for row in rows.filter(|row| self.is_safe(&row.cell)) {
            let Some(stress) = &row.stress else { continue };
            match counted(stress) {
                Some((violation, _)) if row.cell.gc != gc => {
                    return fails(format!("{}: {violation}", row.cell));
                }
                Some(_) if !lost.contains(&&row.cell) => lost.push(&row.cell),
                None if row.cell.gc != gc => {
                    others += 1;
                    deletes += stress.deletes;
                }
                _ => {}
            }
        }
        match (lost.len(), others) {
            (_, 0) => not_run("no other cell ran on such a kernel"),
            (0, _) => fails(format!("no cell with {gc} loses there")),
            (lost, others) => Ok(format!(
                "{} with {gc} lose, {} others lose nothing in {} deletes",
                many(lost, "cell"),
                count(others),
                count(deletes)
            )),
        }
    }

    /// A removal with each of `gcs` costs less than with `other`, in every unit in which both were measured.
    pub fn removal_is_cheaper(&self, gcs: &[&str], other: &str) -> Held {
        let each = gcs.iter().map(|gc| {
            let said: Vec<Held> = [&self.figures, &self.native]
                .into_iter()
                .filter_map(|figures| cheaper(figures, gc, other))
                .collect();
            if said.is_empty() { not_run(format!("{gc} beside {other} was not measured")) } else { all(said) }
        });
        all(each)
    }

    /// A removal with one of `gcs` costs less than with any column of the proposal.
    pub fn undercuts_the_proposal(&self, gc: &str) -> Held {
        let ours: Vec<&str> = of_the_proposal(&self.figures).into_iter().map(|(name, ..)| name).collect();
        if ours.is_empty() {
            return not_run("no removal by the proposal was measured");
        }
        all(ours.into_iter().map(|other| self.removal_is_cheaper(&[gc], other)))
    }

    /// An operation costs more than a plain delete on the same kernel.
    pub fn costs_more_on_its_kernel(&self, operation: &str) -> Held {
        let over = overhead(&self.figures, operation, "hash", None);
        let Some(same) = over.and_then(|over| over.same_kernel) else {
            return not_run(format!("{operation} beside a plain delete of its kernel was not measured"));
        };
        let other = over.and_then(|over| over.other_kernel);
        let base = other.map_or_else(String::new, |ratio| format!(", {} that of the base", times(ratio)));
        let said = format!("{} a plain delete of the same kernel{base}", times(same));
        if same > 1.0 { Ok(said) } else { fails(said) }
    }
}

/// Why nobody knows a cell: a name that the catalogue does not have would never be run.
fn unknown(cell: &Cell) -> String {
    let strange = [
        (Refresh::named(&cell.refresh).is_none(), &cell.refresh),
        (strategy(&cell.gc).is_none(), &cell.gc),
        (MapKind::named(&cell.map).is_none(), &cell.map),
    ];
    match strange.into_iter().find(|(strange, _)| *strange) {
        Some((_, name)) => format!("{cell} was not run: the catalogue has no {name}"),
        None => format!("{cell} was not run"),
    }
}

fn clean(matrix: &Matrix, cell: &Cell, release: &str) -> Held {
    let row: Option<&Row> = matrix.find(&cell.refresh, &cell.gc, &cell.map);
    match row.and_then(|row| row.stress.as_ref()) {
        None => not_run(format!("{cell} was not run on {release}")),
        Some(stress) => match counted(stress) {
            Some((violation, seen)) => fails(format!("{cell} on {release}: {violation}, {}", count(seen))),
            None => Ok(format!("none in {} deletes on {release}", count(stress.deletes))),
        },
    }
}

/// `None` where the two were not measured alike.
fn cheaper(figures: &Figures, gc: &str, other: &str) -> Option<Held> {
    let of = |name: &str| removals(figures, |strategy| strategy == name).into_iter().next();
    let ((_, one, row), (_, two, beside)) = (of(gc)?, of(other)?);
    comparable(row, beside).ok()?;
    let said = format!("{gc} {}, {other} {} {}", value(one), value(two), row.measure.unit);
    Some(if one < two { Ok(said) } else { fails(said) })
}
