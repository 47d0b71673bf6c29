// SPDX-License-Identifier: MIT OR Apache-2.0
//! All evidence of the races side by side: emulated, native, and on stock kernels. What one of them says of a cell is never
//! added to what another says: a cell loses nothing only if no kind of evidence saw it lose.

use evidence::races::{Matrix, Row, Trials, Verdict, verdict};
use results::races::{Cell, Circumstance, Model, Stress, Violation};

use super::{catalogue, figures::Figures, input::RacesFile};

/// Cells that ran on another kernel than that of the matrix.
pub struct Natively {
    /// The kernel's release.
    pub release: String,
    /// The machine in one line.
    pub machine: String,
    /// The cells.
    pub matrix: Matrix,
}

impl Natively {
    /// The evidence of a file.
    pub fn of(file: &RacesFile) -> Self {
        let built = file.environment.kernel.as_ref().map(|kernel| &kernel.version);
        let (release, machine) = match (&file.machine, file.environment.release.as_ref().or(built)) {
            (Some(machine), _) => (machine.release.clone(), machine.words()),
            (None, Some(release)) => (release.clone(), release.clone()),
            (None, None) => ("an unnamed kernel".into(), "an unnamed machine".into()),
        };
        Self { release, machine, matrix: matrix(file) }
    }
}

/// The rows of a file.
pub fn matrix(file: &RacesFile) -> Matrix {
    Matrix { rows: file.cells.clone(), undisturbed: Vec::new() }
}

/// All there is.
#[derive(Default)]
pub struct Evidence {
    /// `matrix.json`: model, witness and stress, emulated.
    pub emulated: Matrix,
    /// `here.json`.
    pub here: Option<Natively>,
    /// `stock-*.json`.
    pub stock: Vec<Natively>,
    /// Kernels that preempt what runs a packet (`PREEMPT_RT`), a distribution's or with the series. No cell claims to stand one:
    /// what breaks there is told, and makes nothing unsafe elsewhere.
    pub preempting: Vec<Natively>,
    /// `bench.json`.
    pub figures: Figures,
    /// `calibrate.json`.
    pub native: Figures,
    /// The series under test.
    pub series: String,
}

/// What all evidence of a cell comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing goes wrong, by all of it.
    Safe,
    /// This does.
    Unsafe(Violation),
    /// Safe by one kind of evidence; by another, this goes wrong there.
    Contradicted(Violation, String),
    /// The model alone: nothing goes wrong.
    SafeInTheModel,
    /// The model alone: this goes wrong.
    UnsafeInTheModel(Violation),
    /// The kernel's own no.
    Refused(String),
    /// Evidence is missing, or contradicts itself.
    Undecided,
}

/// How a cell does in worse circumstances.
#[derive(Clone, Debug, PartialEq)]
pub enum Ordeal {
    /// It breaks: how often in how many removals, or by the model alone.
    Breaks(Violation, Option<(u64, u64)>),
    /// It does not: in so many removals.
    Survives(Trials),
    /// The model finds nothing; it was not run.
    SurvivesInTheModel,
    /// Nobody looked.
    NotRun,
}

/// The worst that free running counted.
pub fn counted(stress: &Stress) -> Option<(Violation, u64)> {
    Violation::ALL.into_iter().map(|kind| (kind, stress.violations.of(kind))).find(|(_, count)| *count > 0)
}

impl Evidence {
    /// The matrices of kernels that ran as they are, the host's first.
    pub fn natively(&self) -> impl Iterator<Item = &Natively> {
        self.here.iter().chain(&self.stock)
    }

    /// Every row of a cell, the emulated one first.
    pub fn rows<'a>(&'a self, cell: &'a Cell) -> impl Iterator<Item = &'a Row> {
        std::iter::once(&self.emulated)
            .chain(self.natively().map(|native| &native.matrix))
            .filter_map(|matrix| matrix.find(&cell.refresh, &cell.gc, &cell.map))
    }

    /// All cells: those of the matrix, then what only others ran.
    pub fn cells(&self) -> Vec<&Cell> {
        let mut cells: Vec<&Cell> = self.emulated.rows.iter().map(|row| &row.cell).collect();
        let known: std::collections::HashSet<&Cell> = cells.iter().copied().collect();
        let mut more: Vec<&Cell> = Vec::new();
        for row in self.natively().flat_map(|native| &native.matrix.rows) {
            if !known.contains(&row.cell) && !more.contains(&&row.cell) {
                more.push(&row.cell);
            }
        }
        cells.extend(more);
        cells
    }

    /// What a cell comes to; `None` if nobody knows it.
    pub fn found(&self, cell: &Cell) -> Option<Found> {
        let emulated = self.emulated.find(&cell.refresh, &cell.gc, &cell.map);
        let natively: Vec<(&Natively, &Row)> = self
            .natively()
            .filter_map(|native| Some((native, native.matrix.find(&cell.refresh, &cell.gc, &cell.map)?)))
            .collect();
        let lost = natively
            .iter()
            .find_map(|(native, row)| Some((counted(row.stress.as_ref()?)?.0, native.release.clone())));
        let ran = natively.iter().any(|(_, row)| row.stress.as_ref().is_some_and(|s| s.deletes > 0));
        let alone = natively.iter().map(|(_, row)| verdict(row)).min();
        let verdict = match (emulated.map(verdict), alone) {
            (Some(verdict), _) => verdict,
            (None, Some(verdict)) => verdict,
            (None, None) => return None,
        };
        Some(match (verdict, lost) {
            (Verdict::Safe | Verdict::SafeInTheModel, Some((violation, release))) => {
                Found::Contradicted(violation, release)
            }
            (Verdict::Unsafe(worst) | Verdict::UnsafeInTheModel(worst), Some((seen, _))) => {
                Found::Unsafe(worst.min(seen))
            }
            (_, Some((violation, _))) => Found::Unsafe(violation),
            (Verdict::SafeInTheModel, None) if ran => Found::Safe,
            (Verdict::Safe, None) => Found::Safe,
            (Verdict::Unsafe(worst), None) => Found::Unsafe(worst),
            (Verdict::SafeInTheModel, None) => Found::SafeInTheModel,
            (Verdict::UnsafeInTheModel(worst), None) => Found::UnsafeInTheModel(worst),
            (Verdict::Refused, None) => {
                let refusal = self.rows(cell).find_map(|row| row.refused.as_ref());
                Found::Refused(refusal.map_or_else(|| "refused".into(), |refusal| refusal.errno.clone()))
            }
            (Verdict::Undecided, None) => Found::Undecided,
        })
    }

    /// It loses nothing, by all evidence.
    pub fn is_safe(&self, cell: &Cell) -> bool {
        self.found(cell) == Some(Found::Safe)
    }

    /// How a cell does in a circumstance. A schedule of the model breaks it even where free running did not happen to show it.
    pub fn ordeal(&self, cell: &Cell, circumstance: Circumstance) -> Ordeal {
        let (mut seen, mut deletes, mut ran) = (None, Trials::default(), false);
        for stress in self
            .rows(cell)
            .flat_map(|row| &row.disturbed)
            .filter(|run| run.circumstance == circumstance)
            .map(|run| &run.stress)
        {
            ran = true;
            deletes += Trials::deletes(stress);
            if let Some((violation, count)) = counted(stress) {
                let (worst, all) = seen.unwrap_or((violation, 0));
                seen = Some((violation.min(worst), all + count));
            }
        }
        let model = self.rows(cell).find_map(|row| self.modelled(row.model.as_ref()?, circumstance));
        match (seen, model) {
            (Some((violation, count)), _) => Ordeal::Breaks(violation, Some((count, deletes.all))),
            (None, Some(Some(violation))) => Ordeal::Breaks(violation, None),
            (None, _) if ran => Ordeal::Survives(deletes),
            (None, Some(None)) => Ordeal::SurvivesInTheModel,
            (None, None) => Ordeal::NotRun,
        }
    }

    /// What the model finds in a circumstance. It explores worse ones where it finds nothing otherwise, and leaves out those
    /// that bring nothing; so nothing is nothing only if any were explored.
    fn modelled(&self, model: &Model, circumstance: Circumstance) -> Option<Option<Violation>> {
        match model.if_worse.get(&circumstance) {
            Some(found) => Some(found.keys().next().copied()),
            None => (model.counterexamples.is_empty() && self.worse_were_explored()).then_some(None),
        }
    }

    fn worse_were_explored(&self) -> bool {
        let matrices = std::iter::once(&self.emulated).chain(self.natively().map(|native| &native.matrix));
        let models = matrices.flat_map(|matrix| &matrix.rows).filter_map(|row| row.model.as_ref());
        models.into_iter().any(|model| !model.if_worse.is_empty())
    }

    /// Cells of which one kind of evidence says safe and another does not, as sentences.
    pub fn contradictions(&self) -> Vec<String> {
        let mut said = Vec::new();
        for cell in self.cells() {
            if let Some(Found::Contradicted(violation, release)) = self.found(cell) {
                said.push(format!(
                    "{cell} is safe by the evidence under emulation and is not on {release}: {violation}"
                ));
            }
        }
        said
    }

    /// The names of one dimension, in the order of the catalogue.
    pub fn names(&self, of: impl Fn(&Cell) -> &String, sort: fn(&mut [&str])) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for cell in self.cells() {
            let name = of(cell).as_str();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        sort(&mut names);
        names
    }

    /// The disciplines.
    pub fn refreshes(&self) -> Vec<&str> {
        self.names(|cell| &cell.refresh, catalogue::sort_refreshes)
    }

    /// The columns.
    pub fn gcs(&self) -> Vec<&str> {
        self.names(|cell| &cell.gc, catalogue::sort_columns)
    }

    /// The maps.
    pub fn maps(&self) -> Vec<&str> {
        self.names(|cell| &cell.map, catalogue::sort_maps)
    }
}
