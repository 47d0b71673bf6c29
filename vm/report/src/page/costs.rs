// SPDX-License-Identifier: MIT OR Apache-2.0
//! What it costs, in charts and tables.

use serde::Serialize;

use super::{chart::Chart, table::Table};

/// The costs.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Costs {
    /// Per operation, the datapath, the whole job, in this order.
    pub parts: Vec<CostPart>,
    /// What was not measured, and why.
    pub skipped: Vec<String>,
    /// The command that makes them, if there are none.
    pub not_run: Option<String>,
}

/// Charts that belong together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CostPart {
    /// The anchor.
    pub id: String,
    /// Of what.
    pub title: String,
    /// How to read them.
    pub about: String,
    /// The charts.
    #[serde(skip)]
    pub charts: Vec<Chart>,
    /// Figures that make no chart.
    pub tables: Vec<Table>,
}
