// SPDX-License-Identifier: MIT OR Apache-2.0
//! A chart, and what it draws.

use serde::Serialize;

/// A figure with how far its repetitions lie apart.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bar {
    /// Of what.
    pub label: String,
    /// The median.
    pub value: f64,
    /// The least, of which ratios are made: what disturbs a measurement only adds to it.
    pub least: f64,
    /// Between the first and the third quarter.
    pub spread: f64,
    /// How many repetitions.
    pub n: u64,
    /// In relation to the chart's reference.
    pub ratio: Option<f64>,
    /// What belongs to the proposal stands out.
    pub ours: bool,
}

/// A line of a growth chart.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Curve {
    /// Of what.
    pub label: String,
    /// x and y.
    pub points: Vec<[f64; 2]>,
    /// What belongs to the proposal stands out.
    pub ours: bool,
}

/// What a chart draws.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Plot {
    /// Bars from zero, and a line at the reference.
    Bars {
        /// Name and value.
        reference: Option<(String, f64)>,
        /// The bars.
        bars: Vec<Bar>,
    },
    /// Curves on two logarithmic axes.
    Curves {
        /// What x is.
        x: String,
        /// The curves.
        curves: Vec<Curve>,
    },
}

/// A chart. Figures of another unit or accel are in another chart.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Chart {
    /// The anchor.
    pub id: String,
    /// What it is of.
    pub title: String,
    /// The unit of its values.
    pub unit: String,
    /// How the guest was run.
    pub accel: String,
    /// What it shows, made of its figures: the text alternative.
    pub says: String,
    /// The figures.
    pub plot: Plot,
    /// Whether the page shows it only when asked: a variation of another one.
    pub folded: bool,
}
