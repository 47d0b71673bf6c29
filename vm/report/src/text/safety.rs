// SPDX-License-Identifier: MIT OR Apache-2.0
//! What safety takes, in text: a table to see at once, then each line with all that it asks for.

use approaches::MapKind;
use results::races::Circumstance;

use super::lines::{ascii, grid, head, item, not_run, paragraph, wrapped};
use crate::{
    numbers::{times, value},
    page::{ClaimShown, DoorShown, Page, Patch, Price, SafeLine, Standing},
};

/// The table and the lines.
pub fn write(out: &mut String, page: &Page) {
    head(out, "What safety takes", '-');
    let safety = &page.safety;
    if let Some(command) = &safety.not_run {
        not_run(out, command);
        return;
    }
    for said in &safety.contradicted {
        item(out, &format!("! {said}"));
    }
    if safety.lines.is_empty() {
        paragraph(out, "Nothing is safe by the evidence there is.");
        return;
    }
    table(out, &safety.lines.iter().collect::<Vec<_>>());
    out.push('\n');
    let unit = |unit: &str| if unit.is_empty() { "not run".to_owned() } else { unit.to_owned() };
    paragraph(
        out,
        &format!(
            "{} live: a packet of a live flow, over a plain store; removal: of one entry, over a plain delete by key; both at \
             their cheapest. Counted in {}; natively in {}.",
            legend(),
            unit(&safety.counted_in),
            unit(&safety.timed_in)
        ),
    );
    for patch in Patch::ALL {
        if safety.of(patch).next().is_some() {
            out.push_str(&format!("{}:\n\n", patch.title()));
        }
        for line in safety.of(patch) {
            self::line(out, line);
        }
    }
}

/// At most so many letters of a name stand in the table.
const NAME: usize = 33;

/// One row each.
pub fn table(out: &mut String, lines: &[&SafeLine]) {
    let heads = ["combination", "kernel", "maps", "broken", "live", "removal"].map(str::to_owned);
    let rows: Vec<Vec<String>> = lines
        .iter()
        .map(|line| {
            let gcs = match line.gcs.as_slice() {
                [one] => one.clone(),
                [first, rest @ ..] => format!("{first} +{}", rest.len()),
                [] => String::new(),
            };
            let mut name = format!("{} x {gcs}", line.refresh);
            if name.len() > NAME {
                name.truncate(NAME - 2);
                name.push_str("..");
            }
            let maps: Vec<String> = line.maps.iter().map(|map| short_map(map)).collect();
            let kernel = line.kernel.split(" (").next().unwrap_or_default().replace("series ", "");
            let cheapest = |prices: &[Price]| {
                let ratios = prices.iter().filter_map(|price| price.ratio);
                ratios.min_by(f64::total_cmp).map_or_else(|| "-".into(), times)
            };
            let live: Vec<Price> = line.packet.counted.iter().filter(|p| p.of == "live").cloned().collect();
            vec![name, kernel, maps.join(" "), broken(line), cheapest(&live), cheapest(&line.removal.counted)]
        })
        .collect();
    grid(out, &heads, &rows);
}

/// A letter for each circumstance that breaks a line.
fn broken(line: &SafeLine) -> String {
    let preempted = (line.preempted.broke == Some(true)).then_some(PREEMPTED);
    let letters = line.broken_by.iter().map(|circumstance| circumstance_letter(*circumstance));
    let letters: String = letters.chain(preempted).collect();
    let untried = if line.untried.is_empty() && line.preempted.broke.is_some() { "" } else { "?" };
    if letters.is_empty() && untried.is_empty() { "-".into() } else { letters + untried }
}

/// Broken by a kernel that preempts packets.
const PREEMPTED: char = 'R';

fn circumstance_letter(circumstance: Circumstance) -> char {
    match circumstance {
        Circumstance::Spread => 'P',
        Circumstance::Collision => 'T',
        Circumstance::TwoCollectors => 'C',
        Circumstance::AgentUpdates => 'U',
        Circumstance::AgentStores => 'S',
        Circumstance::HandDeletes => 'D',
    }
}

/// The first letters of a map's name: maps of a line stand side by side.
fn short_map(map: &str) -> String {
    map.split('-').filter_map(|word| word.chars().next()).collect()
}

/// What the letters stand for.
pub fn legend() -> String {
    let maps: Vec<String> =
        MapKind::ALL.iter().map(|map| format!("{} {map}", short_map(map.name()))).collect();
    let broken: Vec<String> = Circumstance::ALL
        .iter()
        .map(|circumstance| format!("{} {}", circumstance_letter(*circumstance), circumstance.words()))
        .collect();
    format!(
        "{}. Broken by: {}, {PREEMPTED} a kernel that preempts packets (PREEMPT_RT); ? not all was tried, or it is not decided.",
        maps.join(", "),
        broken.join(", ")
    )
}

fn line(out: &mut String, line: &SafeLine) {
    out.push_str(&format!("{}\n", wrapped(&line.name(), "", "    ")));
    let joined = |items: &[String], none: &str| {
        if items.is_empty() { none.to_owned() } else { items.join("; ") }
    };
    let tried = if line.survives.is_empty() { "not run" } else { "nothing that was tried" };
    let facts = [
        ("family", line.family.clone()),
        ("kernel", line.kernel.clone()),
        ("safe on", line.maps.join(", ")),
        ("elsewhere", joined(&line.elsewhere, "-")),
        ("who has to cooperate", line.cooperate.clone()),
        ("a packet", prices(&line.packet.counted)),
        ("a packet, natively", prices(&line.packet.timed)),
        ("a removal", prices(&line.removal.counted)),
        ("a removal, natively", prices(&line.removal.timed)),
        ("opens refused per million", line.opens_refused.clone()),
        ("bytes an entry", line.bytes.clone()),
        ("a flow", line.flows.clone()),
        ("given up", joined(&line.gives_up, "nothing is named")),
        ("broken by", joined(&line.breaks, tried)),
        ("survived", joined(&line.survives, "-")),
        ("not tried", joined(&line.untried, "-")),
        ("on PREEMPT_RT", line.preempted.words.clone()),
        ("emulated", line.emulated.clone()),
        ("native", line.native.clone()),
        ("stock kernels", line.stock.clone()),
    ];
    for (name, said) in facts.iter().filter(|(_, said)| said != "-") {
        out.push_str(&format!("{}\n", wrapped(&format!("{name}: {said}"), "  ", "      ")));
    }
    out.push('\n');
}

fn prices(prices: &[Price]) -> String {
    if prices.is_empty() {
        return "not run".into();
    }
    let each: Vec<String> = prices
        .iter()
        .map(|price| {
            let ratio = price.ratio.map_or_else(String::new, |ratio| format!(" ({})", times(ratio)));
            let by = price.by.as_ref().map_or_else(String::new, |by| format!(" {by}"));
            format!("{} {}{ratio}{by}", price.of, value(price.value))
        })
        .collect();
    each.join(", ")
}

/// The three ways in.
pub fn doors(out: &mut String, doors: &[DoorShown]) {
    for door in doors {
        head(out, &door.asks, '-');
        for said in &door.says {
            paragraph(out, said);
        }
        for one in &door.items {
            for (n, (said, codes)) in one.parts.iter().enumerate() {
                if n == 0 {
                    item(out, &format!("{}: {said}", one.head));
                } else {
                    out.push_str(&format!("{}\n", wrapped(said, "  ", "  ")));
                }
                for code in codes {
                    out.push_str(&format!("    {}\n", ascii(code)));
                }
            }
        }
    }
}

/// A claim in a line or two; what does not hold is loud.
pub fn claim(out: &mut String, claim: &ClaimShown) {
    let word = match claim.standing {
        Standing::Fails => "DOES NOT HOLD",
        standing => standing.words(),
    };
    item(out, &format!("{word}: {} ({})", claim.says, claim.basis));
}
