// SPDX-License-Identifier: MIT OR Apache-2.0
#[test]
#[ignore]
fn whole() {
    let filter = std::env::var("CELLS").unwrap_or_default();
    let show = std::env::var("SHOW").is_ok();
    let begin = std::time::Instant::now();
    let (mut cells, mut states) = (0u64, 0u64);
    approaches::explore::all(|cell| cell.to_string().contains(&filter), |event| match event {
        results::races::RaceEvent::Modelled { cell, model } => {
            cells += 1; states += model.states;
            let worse: Vec<_> = model.if_worse.iter().map(|(c, v)| format!("{:?}: {}", c, approaches::explore::words(v))).collect();
            println!("{:>8} {cell}: {} [{}]", model.states, approaches::explore::words(&model.counterexamples), worse.join("; "));
            if show {
                for (v, s) in model.counterexamples.iter().chain(model.if_worse.values().flatten()) {
                    println!("   == {v}");
                    for l in s { println!("     {:<8}{:<22}{} [{}]", l.actor, l.label, l.text, l.function); }
                }
            }
        }
        results::races::RaceEvent::Failed { cell, error, .. } => println!("FAILED {cell}: {error}"),
        _ => {}
    }).unwrap();
    println!("{cells} cells, {states} states, {:.1} s", begin.elapsed().as_secs_f64());
}
