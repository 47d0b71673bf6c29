// SPDX-License-Identifier: MIT OR Apache-2.0
//! The costs, as tables.

use textwrap::fill;

use super::lines::{ascii, grid, head, item, not_run, options, paragraph, table};
use crate::{
    numbers::value,
    page::{Chart, Page, Plot},
};

/// Words on the looks of charts.
const DRAWN: [&str; 3] = [
    "; blue takes the series",
    " The whisker is as long as the quartiles are apart.",
    " Grey are the other strategies.",
];

/// All charts and tables.
pub fn write(out: &mut String, page: &Page) {
    head(out, "What it costs", '-');
    if let Some(command) = &page.costs.not_run {
        not_run(out, command);
    }
    for part in &page.costs.parts {
        // What is said of the looks of a chart is left out.
        let about = DRAWN.iter().fold(part.about.clone(), |about, drawn| about.replace(drawn, ""));
        paragraph(out, &format!("{}. {about}", part.title));
        for chart in &part.charts {
            self::chart(out, chart);
        }
        for rows in &part.tables {
            table(out, rows);
        }
    }
    for skipped in &page.costs.skipped {
        item(out, &format!("not measured: {skipped}"));
    }
}

fn chart(out: &mut String, chart: &Chart) {
    out.push_str(&format!(
        "{}\n",
        fill(&ascii(&format!("{}, {}, {}", chart.title, chart.unit, chart.accel)), options("", ""))
    ));
    match &chart.plot {
        Plot::Bars { reference, bars } => {
            let over = reference.as_ref().map_or_else(String::new, |(name, _)| format!("/ {name}"));
            let head = ["", "median", "+-", over.as_str()].map(str::to_owned);
            let rows: Vec<Vec<String>> = bars
                .iter()
                .map(|bar| {
                    let ratio = bar.ratio.map_or_else(String::new, |ratio| format!("{ratio:.3}"));
                    vec![bar.label.clone(), value(bar.value), value(bar.spread / 2.0), ratio]
                })
                .collect();
            grid(out, &head, &rows);
        }
        Plot::Curves { x, curves } => {
            let mut xs: Vec<f64> =
                curves.iter().flat_map(|curve| curve.points.iter().map(|point| point[0])).collect();
            xs.sort_by(f64::total_cmp);
            xs.dedup();
            let head: Vec<String> =
                std::iter::once(format!("{x}:")).chain(xs.iter().map(|x| value(*x))).collect();
            let rows: Vec<Vec<String>> = curves
                .iter()
                .map(|curve| {
                    let at =
                        |x: f64| curve.points.iter().find(|p| (p[0] - x).abs() < 0.5).map(|p| value(p[1]));
                    let cells = xs.iter().map(|x| at(*x).unwrap_or_default());
                    std::iter::once(curve.label.clone()).chain(cells).collect()
                })
                .collect();
            grid(out, &head, &rows);
        }
    }
    out.push('\n');
}
