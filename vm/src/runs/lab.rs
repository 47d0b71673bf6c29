// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is asked of the lab, wherever it runs, and the model, which runs here.

use std::path::Path;

use anyhow::Result;
use approaches::Place;
use evidence::races::{Matrix, explored};
use ground::context::Ctx;
use guest::machine::Limits;
use results::races::RaceEvent;

/// What the model said, in the folder of who replays it.
pub const MODEL: &str = "model.jsonl";

/// The lab's word for the half that needs no patch, wherever it runs.
pub const UNPATCHED: &str = "--here";
/// Its word for runs that last until rare events have shown themselves.
pub const LONG: &str = "--long";

/// How the lab runs where nothing is patched.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// Until rare events have shown themselves.
    pub long: bool,
    /// The file that keeps what the lab says.
    pub keep: &'a Path,
}

/// What is asked of the lab.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Only the cells whose `refresh × gc on map` holds this.
    pub filter: Option<String>,
    /// The form that vm-test has time for. The model is explored whole in either.
    pub quick: bool,
    /// Only what runs on a kernel without a series, and is meant to run at all.
    pub unpatched: bool,
}

impl Asked {
    /// The cells, in the order of the catalogue.
    pub fn places(&self) -> Vec<Place> {
        approaches::all().filter(|place| self.wants(place)).collect()
    }

    fn wants(&self, place: &Place) -> bool {
        (!self.unpatched || !place.patched() && place.model_alone().is_none())
            && self.filter.as_ref().is_none_or(|text| place.cell().to_string().contains(text.as_str()))
    }
}

/// A run of the races.
pub struct Races<'a> {
    /// Passed on.
    pub ctx: &'a Ctx,
    /// What is asked.
    pub asked: Asked,
    /// When to stop waiting.
    pub limits: Limits,
}

impl Races<'_> {
    /// The options that every part of the lab takes, the events in the file `events`.
    pub(super) fn options(&self, events: &str) -> Vec<String> {
        let mut options = vec!["--events".into(), events.into(), "--model".into(), MODEL.into()];
        if let Some(filter) = &self.asked.filter {
            options.extend(["--filter".into(), filter.clone()]);
        }
        options
    }

    /// Explores the model; gives all that it said.
    ///
    /// # Errors
    /// When the run is interrupted or out of time: nothing is known then of the cells that were not reached.
    pub fn model(&self, matrix: &mut Matrix) -> Result<Vec<RaceEvent>> {
        let places = self.asked.places();
        let said = self.ctx.phase("model", || Ok((explored::events(self.ctx, &places)?, false)))?;
        matrix.add(&said);
        Ok(said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_no_patch_leaves_out_what_nobody_would_run() {
        let all = Asked::default().places();
        let asked = Asked { unpatched: true, ..Asked::default() };
        let here = asked.places();
        assert_eq!(all.len(), approaches::all().count());
        assert!(!here.is_empty() && here.len() < all.len());
        assert!(here.iter().all(|place| !place.patched()));
        assert!(here.iter().all(|place| place.model_alone().is_none()));
        let one = Asked { filter: Some("on arena".into()), ..asked };
        assert!(one.places().iter().all(|place| place.map.name() == "arena") && !one.places().is_empty());
    }
}
