// SPDX-License-Identifier: MIT OR Apache-2.0
//! Growth on two logarithmic axes: a small panel for each curve, with the others behind it in grey, so that no curve has to
//! be told from another by its colour.

use maud::{Markup, html};

use crate::{
    numbers::{short, value},
    page::{Chart, Curve},
};

const HEIGHT: f64 = 150.0;
/// Pixels kept free above and below the curves.
const ABOVE: f64 = 16.0;
const BELOW: f64 = 20.0;
/// Per cent kept free on either side.
const LEFT: f64 = 14.0;
const RIGHT: f64 = 4.0;

/// Both axes.
struct Axes {
    x: (f64, f64),
    y: (f64, f64),
}

impl Axes {
    fn of(curves: &[Curve]) -> Option<Self> {
        let points = || curves.iter().flat_map(|curve| &curve.points).filter(|p| p[0] > 0.0 && p[1] > 0.0);
        let range = |of: fn(&[f64; 2]) -> f64| {
            points().map(of).map(f64::log10).fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            })
        };
        points().next()?;
        let (low, high) = range(|p| p[1]);
        // Whole decades, so that a flat curve looks flat.
        Some(Self { x: range(|p| p[0]), y: (low.floor(), high.ceil().max(low.floor() + 1.0)) })
    }

    fn across(&self, x: f64) -> String {
        let (low, high) = self.x;
        let part = if high > low { (x.log10() - low) / (high - low) } else { 0.5 };
        format!("{:.2}%", LEFT + part * (100.0 - LEFT - RIGHT))
    }

    fn down(&self, y: f64) -> f64 {
        let (low, high) = self.y;
        let part = (y.log10() - low) / (high - low);
        ((HEIGHT - BELOW - part * (HEIGHT - ABOVE - BELOW)) * 10.0).round() / 10.0
    }

    /// Whole decades.
    fn decades(&self) -> Vec<f64> {
        let mut decades = Vec::new();
        let mut at = self.y.0;
        while at <= self.y.1 {
            decades.push(10_f64.powf(at));
            at += 1.0;
        }
        decades
    }
}

/// A panel for each.
pub fn panels(chart: &Chart, x: &str, curves: &[Curve]) -> Markup {
    html! {
        @if let Some(axes) = Axes::of(curves) {
            div.panels {
                @for (i, curve) in curves.iter().enumerate() { (panel(chart, x, curves, i, curve, &axes)) }
            }
        }
    }
}

/// What a panel shows, in words.
fn says(x: &str, unit: &str, curve: &Curve) -> String {
    let points: Vec<String> =
        curve.points.iter().map(|[at, y]| format!("{} at {}", value(*y), value(*at))).collect();
    format!("{}: {unit} by {x}: {}", curve.label, points.join(", "))
}

fn panel(chart: &Chart, x: &str, curves: &[Curve], i: usize, curve: &Curve, axes: &Axes) -> Markup {
    let (title, desc) = (format!("{}-{i}-t", chart.id), format!("{}-{i}-d", chart.id));
    html! {
        div.panel {
            p.name { (curve.label) }
            svg.curves role="img" aria-labelledby={ (title) " " (desc) } width="100%" height=(HEIGHT) {
                title id=(title) { (chart.title) ", " (curve.label) }
                desc id=(desc) { (says(x, &chart.unit, curve)) }
                @for decade in axes.decades() {
                    line.grid x1="0" x2="100%" y1=(axes.down(decade)) y2=(axes.down(decade)) {}
                    text.axis x="0" y=(axes.down(decade) - 3.0) { (short(decade)) }
                }
                @for (k, other) in curves.iter().enumerate() { @if k != i { (path(other, axes, "other")) } }
                (path(curve, axes, if curve.ours { "this ours" } else { "this" }))
                @for [at, y] in &curve.points {
                    circle class=(if curve.ours { "ours" } else { "" }) cx=(axes.across(*at)) cy=(axes.down(*y)) r="3.5" {}
                }
                @if let (Some(first), Some(last)) = (curve.points.first(), curve.points.last()) {
                    text.axis x=(axes.across(first[0])) y=(HEIGHT - 5.0) { (short(first[0])) }
                    @if last[0] > first[0] {
                        text.axis x=(axes.across(last[0])) y=(HEIGHT - 5.0) text-anchor="end" { (short(last[0])) " " (x) }
                    }
                    text.value x=(axes.across(last[0])) y=(axes.down(last[1]) - 8.0) text-anchor="end" { (value(last[1])) }
                }
            }
        }
    }
}

/// Segments, since a polyline takes no per cent.
fn path(curve: &Curve, axes: &Axes, class: &str) -> Markup {
    html! {
        g class=(class) {
            @for ends in curve.points.windows(2) {
                line x1=(axes.across(ends[0][0])) y1=(axes.down(ends[0][1])) x2=(axes.across(ends[1][0])) y2=(axes.down(ends[1][1])) {}
            }
        }
    }
}
