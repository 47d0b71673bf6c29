// SPDX-License-Identifier: MIT OR Apache-2.0
//! The page and the text as a reader gets them.

use evidence::races::made_up::{cell, model, stressed, weighed, witnessed};
use scraper::{Html, Selector};

use super::{
    Input, Inputs, Page,
    claims::{Claim, Doubt},
    html, made_up, page,
    page::{Mark, Reached, Standing},
    text, with_claims,
};
use results::races::Violation;

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
    ids.sort_unstable();
    let twice: Vec<_> = ids.windows(2).filter(|two| two[0] == two[1]).collect();
    assert!(twice.is_empty(), "{twice:?}");
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
    let marks =
        |mark: Mark| page.matrix.grids.iter().flat_map(|grid| grid.chips()).any(|chip| chip.mark == mark);
    assert!(Mark::ALL.into_iter().all(marks));
    let cell = |refresh: &str, gc: &str, map: &str| {
        let pair = page.matrix.pairs.iter().find(|pair| pair.refresh == refresh && pair.gc == gc).unwrap();
        pair.cells.iter().find(|cell| cell.map == map).unwrap().clone()
    };
    let lost = cell("store", "blind", "hash");
    assert_eq!((lost.word.as_str(), lost.rate.as_deref(), lost.more), ("lost", Some("98k"), 1));
    assert!(lost.witness.unwrap().contains("lost refresh 10 of 10"));
    let safe = cell("replace", "compare", "hash");
    assert_eq!((safe.word.as_str(), safe.rate.as_deref()), ("safe", Some("<0.83")));
    assert!(safe.stress.unwrap().contains("below 0.83 per million deletes (95 %)"));
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
fn what_safety_takes_comes_first_and_takes_no_side() {
    let page = full();
    let first = "Without a kernel patch these suffice: lock with prog-lock and prog-lock-array on hash;";
    assert!(page.answer.sentence.contains(first), "{}", page.answer.sentence);
    let html = html::render(&page);
    let text = text::render(&page);
    let at = |text: &str, what: &str| text.find(what).unwrap_or_else(|| panic!("{what}"));
    assert!(at(&html, "id=\"safety\"") < at(&html, "id=\"matrix\""));
    assert!(at(&text, "What safety takes") < at(&text, "Refresh x gc"));
    for door in &page.doors {
        assert!(html.contains(&door.asks) && text.contains(&door.asks), "{}", door.asks);
    }
    assert!(html.contains("cargo xtask races --here"));
    assert!(text.contains("    selftests-rs/lab/src/bpf/refresh/lock.h"));
    // The sentence that the lab refuted.
    assert!(!html.contains("cells without it, on a hash map") && !text.contains("cells without it"));
}

#[test]
fn a_strange_approach_of_kept_evidence_stands_under_others() {
    let page = full();
    let grid = page.matrix.grids.iter().find(|grid| grid.map == "hash").unwrap();
    let last = grid.groups.last().unwrap();
    let names: Vec<&str> = last.rows.iter().map(|(gc, _)| gc.as_str()).collect();
    assert_eq!((last.title.as_str(), names), ("Others", vec!["gone"]));
    assert_eq!(grid.columns.last().map(String::as_str), Some("gone"));
}

#[test]
fn native_evidence_has_tables_of_its_own() {
    let page = full();
    let chip = |grids: &[page::Grid], gc: &str| {
        let grid = grids.iter().find(|grid| grid.map == "hash").unwrap();
        let row = grid.groups.iter().flat_map(|group| &group.rows).find(|(name, _)| name == gc).unwrap();
        row.1.iter().flatten().map(|chip| (chip.word.clone(), chip.rate.clone().unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(chip(&page.native.grids, "prog-lock"), [("none".into(), "<17".into())]);
    assert_eq!(chip(&page.native.grids, "blind"), [("lost".into(), "17k".into())]);
    assert!(chip(&page.matrix.grids, "blind").contains(&("lost".into(), "98k".into())));
    let pair = page
        .matrix
        .pairs
        .iter()
        .find(|pair| (pair.refresh.as_str(), pair.gc.as_str()) == ("lock", "prog-lock"));
    let on_hash = pair.unwrap().cells.iter().find(|cell| cell.map == "hash").unwrap();
    assert!(on_hash.native[0].starts_with("6.18.0: none in 600,000 deletes"), "{:?}", on_hash.native);
    assert!(on_hash.native[1].starts_with("6.1.0: none in 100,000 deletes"), "{:?}", on_hash.native);
    let kernels = page.native.kernels.as_ref().unwrap();
    assert_eq!(kernels.rows[0][0], "6.18.0, 2 CPUs (made up), under a hypervisor (kvm)");
    assert_eq!(kernels.rows[1][1..5], ["1", "0", "1", "0"]);
}

#[test]
fn what_ran_natively_alone_has_its_evidence_as_well() {
    let page = page(&Inputs { races: Input::NotRun("cargo xtask races"), ..made_up::inputs() });
    assert!(
        page.answer.sentence.starts_with("Of 1 cell tried in a kernel, 0 lose"),
        "{}",
        page.answer.sentence
    );
    let document = Html::parse_document(&html::render(&page));
    for link in select(&document, "a[href]") {
        let to = link.attr("href").unwrap().trim_start_matches('#');
        assert_eq!(select(&document, &format!("[id='{to}']")).len(), 1, "{to}");
    }
}

#[test]
fn evidence_that_disagrees_is_loud() {
    let lost = made_up::natively("6.18.0", &[stressed(cell("lock", "prog-lock", "hash"), 9, 9, 1)]);
    let page = page(&Inputs { here: Input::Read(lost), ..made_up::inputs() });
    let said =
        "lock × prog-lock on hash is safe by the evidence under emulation and is not on 6.18.0: lost refresh";
    assert!(page.troubles.iter().any(|trouble| trouble == said), "{:?}", page.troubles);
    assert!(html::render(&page).matches(said).count() >= 2);
    assert!(text::render(&page).contains("! lock x prog-lock on hash is safe by the evidence under"));
    let kernels = page.native.kernels.unwrap();
    assert_eq!(kernels.rows[0].last().map(String::as_str), Some("contradicts it in 1"));
}

#[test]
fn a_claim_that_fails_is_a_trouble_and_one_that_was_not_run_is_counted() {
    let claims = [
        Claim { id: "good", says: "Good.", about: &[], holds: |_| Ok("seen".into()) },
        Claim { id: "bad", says: "Bad.", about: &[], holds: |_| Err(Doubt::Fails("lost".into())) },
        Claim { id: "none", says: "None.", about: &[], holds: |_| Err(Doubt::NotRun("no run".into())) },
    ];
    let page = with_claims(&made_up::inputs(), &claims);
    let standings: Vec<Standing> = page.claims.iter().map(|claim| claim.standing).collect();
    assert_eq!(standings, [Standing::Holds, Standing::Fails, Standing::NotRun]);
    assert!(page.troubles.contains(&"the claim `bad` does not hold: lost".into()));
    let text = text::render(&page);
    assert!(text.contains("Of 3 claims: 1 holds, 1 does not hold, 1 not run."), "{text}");
    assert!(text.contains("- DOES NOT HOLD: Bad. (lost)"));
    assert!(text.contains("- not run: None. (no run)"));
}

#[test]
fn the_brief_fits_a_mail_and_stands_alone() {
    for page in [full(), page(&made_up::nothing()), page(&crowd())] {
        let brief = text::brief(&page);
        assert!(brief.lines().count() <= text::LINES, "{brief}");
        assert!(brief.lines().all(|line| line.len() <= text::WIDTH) && brief.is_ascii(), "{brief}");
        assert!(brief.contains("cargo xtask races --here"), "{brief}");
    }
    let brief = text::brief(&full());
    assert!(brief.contains("lock x prog-lock +1") && brief.contains("replace x compare"), "{brief}");
    assert!(brief.contains("h hash, hnp hash-no-prealloc, lh lru-hash"), "{brief}");
}

/// Sixteen disciplines, thirty-two columns and four maps, a third of them safe, all with schedules. Those of the catalogue
/// come first.
fn crowd() -> Inputs {
    let mut events = Vec::new();
    let refreshes: Vec<String> = approaches::Refresh::ALL.iter().map(|refresh| refresh.name.into()).collect();
    let gcs: Vec<String> = approaches::Column::all().map(|column| column.to_string()).collect();
    let named = |known: &[String], n: usize, stranger: &str| {
        known.get(n).filter(|_| n < 12).cloned().unwrap_or_else(|| format!("{stranger}-{n}"))
    };
    for (n, map) in ["hash", "hash-no-prealloc", "lru-hash", "rhash"].into_iter().enumerate() {
        for refresh in 0..16 {
            for gc in 0..32 {
                let here =
                    || cell(&named(&refreshes, refresh, "discipline"), &named(&gcs, gc, "strategy"), map);
                let all = Violation::ALL;
                let found = if (refresh + gc + n) % 3 == 0 { &all[..0] } else { &all[..4] };
                events.push(model(here(), found));
                if gc < 20 {
                    events.extend(found.iter().map(|violation| witnessed(here(), *violation, 9, 9)));
                    events.push(stressed(
                        here(),
                        1_000_000,
                        1_000_000,
                        if found.is_empty() { 0 } else { 77 },
                    ));
                }
            }
        }
    }
    let mut races = made_up::races();
    races.cells = weighed(&events).rows;
    Inputs { races: Input::Read(races), ..made_up::inputs() }
}

#[test]
fn the_whole_matrix_makes_no_heavy_page() {
    let page = page(&crowd());
    let html = html::render(&page);
    assert!(html.len() < 6_000_000, "{} bytes", html.len());
    let json = serde_json::to_string_pretty(&page).unwrap();
    assert!(json.len() < 1_500_000, "{} bytes", json.len());
    assert!(!json.contains("\"pairs\"") && json.contains("\"safety\"") && json.contains("\"claims\""));
    assert!(Html::parse_document(&html).errors.is_empty());
    // What the model alone has found is told without its schedule.
    let alone = page.matrix.pairs.iter().filter(|pair| pair.gc == "strategy-31");
    assert!(alone.clone().count() == 16 && alone.flat_map(|pair| &pair.schedules).next().is_none());
}

#[test]
fn figures_of_two_accels_never_share_a_chart() {
    let natively = Input::NotRun("cargo xtask calibrate");
    let mut inputs = Inputs { calibrate: natively, ..made_up::inputs() };
    let charts = |page: &Page| page.costs.parts.iter().map(|part| part.charts.len()).sum::<usize>();
    let once = charts(&page(&inputs));
    let mut bench = made_up::bench();
    let mut native: Vec<_> = bench.record.rows.clone();
    native.iter_mut().for_each(|row| row.origin.accel = "kvm".into());
    bench.record.rows.extend(native);
    inputs.bench = Input::Read(bench);
    let page = page(&inputs);
    for chart in page.costs.parts.iter().flat_map(|part| &part.charts) {
        assert!(["tcg", "kvm"].contains(&chart.accel.as_str()));
    }
    assert_eq!(charts(&page), 2 * once);
}
