// SPDX-License-Identifier: MIT OR Apache-2.0
//! The page and the text as a reader gets them.

use scraper::{Html, Selector};

use super::{
    Page, html, made_up, page,
    page::{Mark, Reached},
    text,
};

fn full() -> Page {
    page(&made_up::inputs())
}

fn select<'a>(document: &'a Html, what: &str) -> Vec<scraper::ElementRef<'a>> {
    document.select(&Selector::parse(what).unwrap()).collect()
}

#[test]
fn the_page_is_well_formed_with_and_without_inputs() {
    for page in [full(), page(&made_up::nothing())] {
        let document = Html::parse_document(&html::render(&page));
        assert!(document.errors.is_empty(), "{:?}", document.errors);
        assert_eq!(select(&document, "h1").len(), 1);
        assert_eq!(select(&document, "html[lang]").len(), 1);
    }
}

#[test]
fn every_chart_has_a_text_alternative_and_its_figures() {
    let page = full();
    let document = Html::parse_document(&html::render(&page));
    let charts = select(&document, "svg");
    assert!(charts.len() > 5);
    for chart in charts {
        assert_eq!(chart.attr("role"), Some("img"));
        for id in chart.attr("aria-labelledby").unwrap().split(' ') {
            let named = select(&document, &format!("[id='{id}']"));
            assert_eq!(named.len(), 1, "{id}");
            assert!(named[0].text().collect::<String>().len() > 5, "{id}");
        }
    }
    let figures = select(&document, "figure");
    assert_eq!(figures.len(), select(&document, "figure details table caption").len());
    let labels =
        page.costs.parts.iter().flat_map(|part| &part.charts).map(|chart| (&chart.unit, &chart.accel));
    assert!(labels.into_iter().all(|(unit, accel)| !unit.is_empty() && !accel.is_empty()));
}

#[test]
fn nothing_is_fetched_and_nothing_is_run() {
    let text = html::render(&full());
    let document = Html::parse_document(&text);
    for what in ["script", "link[rel=stylesheet]", "img", "iframe", "object", "embed", "[src]"] {
        assert!(select(&document, what).is_empty(), "{what}");
    }
    assert!(!text.contains("@import") && !text.contains("url("));
    assert!(select(&document, "[href]").iter().all(|link| {
        let to = link.attr("href").unwrap();
        to.starts_with('#') || to.starts_with("data:,")
    }));
}

#[test]
fn every_link_leads_somewhere_and_no_anchor_is_there_twice() {
    let document = Html::parse_document(&html::render(&full()));
    let mut ids: Vec<&str> = select(&document, "[id]").iter().map(|e| e.attr("id").unwrap()).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all);
    for link in select(&document, "a[href]") {
        let to = link.attr("href").unwrap().trim_start_matches('#');
        assert!(ids.binary_search(&to).is_ok(), "{to}");
    }
}

#[test]
fn an_outcome_is_a_sign_and_a_word_and_not_only_a_colour() {
    let document = Html::parse_document(&html::render(&full()));
    for shown in select(&document, ".chip, .badge") {
        let text: String = shown.text().collect();
        let sign = select_in(&shown, ".sign");
        assert!(Mark::ALL.iter().any(|mark| mark.sign() == sign) && text.trim().len() > sign.len(), "{text}");
    }
    let mut signs: Vec<&str> = Mark::ALL.iter().map(|mark| mark.sign()).collect();
    signs.sort_unstable();
    signs.dedup();
    assert_eq!(signs.len(), Mark::ALL.len());
}

fn select_in(element: &scraper::ElementRef<'_>, what: &str) -> String {
    element.select(&Selector::parse(what).unwrap()).flat_map(|e| e.text()).collect()
}

#[test]
fn every_kind_of_cell_is_shown() {
    let page = full();
    let marks = |mark: Mark| page.matrix.pairs.iter().flat_map(|p| &p.cells).any(|cell| cell.mark == mark);
    assert!(Mark::ALL.into_iter().all(marks));
    let cell = |refresh: &str, gc: &str, map: &str| {
        let pair = page.matrix.find(refresh, gc).unwrap();
        pair.cells.iter().find(|cell| cell.map == map).unwrap().clone()
    };
    let lost = cell("store", "blind", "hash");
    assert_eq!((lost.word.as_str(), lost.rate.as_deref(), lost.more), ("lost", Some("98k"), 1));
    assert!(lost.witness.unwrap().contains("lost refresh 10 of 10"));
    let safe = cell("replace", "compare", "hash");
    assert_eq!((safe.word.as_str(), safe.rate.as_deref()), ("safe", Some("<0.25")));
    assert!(safe.stress.unwrap().contains("below 0.25 per million deletes (95 %)"));
    let refused = cell("replace", "compare", "lru-hash");
    assert_eq!(refused.word, "EOPNOTSUPP");
    assert!(refused.notes[0].contains("refused by the kernel, EOPNOTSUPP: map_create"));
    assert_eq!(cell("store", "prog", "hash").word, "disagree");
    assert_eq!(cell("replace", "prog", "hash").word, "no evidence");
}

#[test]
fn what_was_measured_natively_has_charts_of_its_own() {
    let page = full();
    let part = |id: &str| page.costs.parts.iter().find(|part| part.id == id).unwrap();
    let line = |table: usize, what: [&str; 2]| {
        let rows = &part("native").tables[table].rows;
        rows.iter().find(|row| row[..2] == what).unwrap()[2..].to_vec()
    };
    assert_eq!(line(0, ["delete miss", "hash"]), ["0.92", "0.46"]);
    assert_eq!(line(1, ["lock", "live"]), ["1.23", "1.23"]);
    let contention = part("contention-native");
    assert!(contention.charts[0].says.contains("blind 61 (1.33 ×)"), "{}", contention.charts[0].says);
    assert_eq!(contention.tables[0].rows[0][2..], ["1,200", "1,500", "1.25 ×"]);
    assert!(page.costs.parts.iter().all(|part| part.id != "contention"));
}

#[test]
fn what_was_not_run_is_said_with_its_command() {
    let page = page(&made_up::nothing());
    let (html, text) = (html::render(&page), text::render(&page));
    for command in ["cargo xtask races", "cargo xtask bench", "cargo xtask calibrate"] {
        assert!(html.contains(command) && text.contains(command), "{command}");
    }
    assert!(page.answer.tiles.is_empty());
    assert!(page.goals.iter().all(|goal| goal.reached == Reached::NotRun));
}

#[test]
fn the_text_is_narrow_and_plain() {
    for page in [full(), page(&made_up::nothing())] {
        let text = text::render(&page);
        let wide: Vec<&str> = text.lines().filter(|line| line.chars().count() > text::WIDTH).collect();
        assert!(wide.is_empty(), "{wide:#?}");
        assert!(text.is_ascii());
    }
}

#[test]
fn page_and_text_tell_the_same() {
    let page = full();
    let text = text::render(&page);
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for objection in &page.objections {
        assert!(
            flat.contains(&format!("{}: {}", objection.title, objection.fate.words())),
            "{}",
            objection.title
        );
    }
    for part in &page.costs.parts {
        assert!(
            part.charts.iter().all(|chart| flat.contains(&chart.title.replace('×', "x"))),
            "{}",
            part.title
        );
    }
}

#[test]
fn a_page_reads_back_from_its_json() {
    let page = full();
    let json = serde_json::to_string(&page).unwrap();
    let read: Page = serde_json::from_str(&json).unwrap();
    assert_eq!(html::render(&read), html::render(&page));
}

#[test]
fn figures_of_two_accels_never_share_a_chart() {
    let natively = super::Input::NotRun("cargo xtask calibrate");
    let mut inputs = super::Inputs { calibrate: natively, ..made_up::inputs() };
    let charts = |page: &Page| page.costs.parts.iter().map(|part| part.charts.len()).sum::<usize>();
    let once = charts(&page(&inputs));
    let mut bench = made_up::bench();
    let mut native: Vec<_> = bench.record.rows.clone();
    native.iter_mut().for_each(|row| row.origin.accel = "kvm".into());
    bench.record.rows.extend(native);
    inputs.bench = super::Input::Read(bench);
    let page = page(&inputs);
    for chart in page.costs.parts.iter().flat_map(|part| &part.charts) {
        assert!(["tcg", "kvm"].contains(&chart.accel.as_str()));
    }
    assert_eq!(charts(&page), 2 * once);
}

#[test]
fn the_report_that_is_kept_is_what_its_json_makes() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/report");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let page: Page = serde_json::from_str(&read("report.json")).unwrap();
    let again = "make it again: cargo xtask report --check --keep";
    assert!(
        html::render(&page) == read("index.html"),
        "docs/report/index.html is of another making; {again}"
    );
    assert!(
        text::render(&page) == read("report.txt"),
        "docs/report/report.txt is of another making; {again}"
    );
}
