// SPDX-License-Identifier: MIT OR Apache-2.0
//! Horizontal bars from zero, as inline SVG. Positions across are per cent and positions down are pixels, so a chart is as
//! wide as its column and its words keep their size; no chart crate draws like that or takes its colours from a style sheet.

use maud::{Markup, html};

use crate::{
    numbers::{times, value},
    page::{Bar, Chart},
};

/// Pixels for a bar with the words above it.
const STEP: u32 = 36;

/// Per cent that the longest bar takes; the figures stand in the rest.
const WIDEST: u32 = 70;

/// Draws it.
pub fn svg(chart: &Chart, reference: Option<&(String, f64)>, bars: &[Bar]) -> Markup {
    let most = bars
        .iter()
        .map(|bar| bar.value + bar.spread / 2.0)
        .chain(reference.map(|(_, value)| *value))
        .fold(0.0, f64::max);
    let across = |value: f64| {
        if most > 0.0 { format!("{:.2}%", value / most * f64::from(WIDEST)) } else { "0%".into() }
    };
    let rows = u32::try_from(bars.len()).unwrap_or_default();
    let (height, base) = (rows * STEP + 22, rows * STEP + 4);
    let (title, desc) = (format!("{}-t", chart.id), format!("{}-d", chart.id));
    html! {
        svg.bars role="img" aria-labelledby={ (title) " " (desc) } width="100%" height=(height) {
            title id=(title) { (chart.title) ", " (chart.unit) ", " (chart.accel) }
            desc id=(desc) { (chart.says) }
            @for (bar, i) in bars.iter().zip(0_u32..) {
                @let y = i * STEP;
                text x="0" y=(y + 14) { (bar.label) }
                text.value x="100%" y=(y + 29) text-anchor="end" {
                    (value(bar.value)) @if let Some(ratio) = bar.ratio { tspan.ratio { "  " (times(ratio)) } }
                }
                rect.track x="0" y=(y + 20) width={ (WIDEST) "%" } height="10" rx="2" {}
                rect class=(if bar.ours { "bar ours" } else { "bar" }) x="0" y=(y + 20) width=(across(bar.value)) height="10" rx="2" {}
                @if bar.spread > 0.0 {
                    @let (low, high) = (across(bar.value - bar.spread / 2.0), across(bar.value + bar.spread / 2.0));
                    line.spread x1=(low) x2=(high) y1=(y + 25) y2=(y + 25) {}
                    line.spread x1=(low) x2=(low) y1=(y + 21) y2=(y + 29) {}
                    line.spread x1=(high) x2=(high) y1=(y + 21) y2=(y + 29) {}
                }
            }
            @if let Some((name, at)) = reference {
                @for i in 0..rows { line.reference x1=(across(*at)) x2=(across(*at)) y1=(i * STEP + 18) y2=(i * STEP + 32) {} }
                // The words stay inside, whichever half the line is in.
                @let end = *at * 2.0 > most;
                text.reference x=(across(*at)) y=(base + 10) text-anchor=(if end { "end" } else { "start" }) { "| = " (name) }
            }
        }
    }
}
