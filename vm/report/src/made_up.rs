// SPDX-License-Identifier: MIT OR Apache-2.0
//! Inputs for the tests of this folder. All of it is made up: no figure here was ever measured.

use evidence::races::{
    made_up::{
        absent, cell, connected, disturbed, model, model_if_worse, of_each_kind, refused, stressed, weighed,
        witnessed,
    },
    sentences,
};
use results::{Accel, KernelReport};
use results::{
    bench::{
        Contention, FlowState, Group, Job, Measure, Origin, Packet, Profile, Ratio, Record, Row, Skipped,
        Spent, Unit,
    },
    races::{
        Cell,
        Circumstance::{AgentStores, AgentUpdates, HandDeletes, Spread},
        RaceEvent,
        Violation::{Gap, LostRefresh},
    },
};

use super::environment::{Environment, Machine};
use super::input::{BenchFile, Input, Inputs, RacesFile, Test, TestsFile};

fn kernel(series: &str) -> KernelReport {
    KernelReport {
        version: format!("7.3.0-{series}"),
        base: "made up 7.3.0".into(),
        series: series.into(),
        patches: vec!["bpf: made up".into()],
        config_sha256: "c0ffee".repeat(10),
        compiler: "gcc (made up) 12".into(),
    }
}

fn environment(command: &str) -> Environment {
    Environment {
        kernel: Some(kernel("v3")),
        base_kernel: Some(kernel("base")),
        other_kernels: Vec::new(),
        release: None,
        accel: Some(Accel::Tcg),
        vcpus: 2,
        host_cpus: 2,
        profile: "lean".into(),
        date: "2026-01-02T03:04:05Z".into(),
        command: command.into(),
        verdict: "passed".into(),
        reason: "made up".into(),
    }
}

/// A machine's own kernel, on which these cells ran.
pub fn natively(release: &str, events: &[RaceEvent]) -> RacesFile {
    let matrix = weighed(events);
    let machine =
        Machine { release: release.into(), cpus: 2, hypervisor: Some("kvm".into()), model: "made up".into() };
    RacesFile {
        environment: Environment {
            kernel: None,
            accel: None,
            release: Some(release.into()),
            ..environment("cargo xtask races --here")
        },
        machine: Some(machine),
        cells: matrix.rows,
        verdicts: Vec::new(),
    }
}

/// The host's own kernel: the same lock, and a plain delete that loses.
pub fn here() -> RacesFile {
    natively(
        "6.18.0",
        &[
            stressed(cell("lock", "prog-lock", "hash"), 28_000_000, 600_000, 0),
            stressed(cell("store", "blind", "hash"), 3_000_000, 1_000_000, 17_000),
            refused(cell("lock", "prog-lock", "lru-hash")),
        ],
    )
}

/// A cell of each standing, and connections.
pub fn races() -> RacesFile {
    let mut events = of_each_kind();
    let lock = || cell("lock", "prog-lock", "lru-hash");
    let gap = || cell("replace", "take-restore", "hash");
    events.extend([
        model(gap(), &[Gap]),
        witnessed(gap(), Gap, 10, 10),
        stressed(gap(), 900_000, 1_000_000, 0),
        model(lock(), &[LostRefresh]),
        refused(lock()),
        model(cell("lock", "compare", "hash"), &[LostRefresh]),
        absent(cell("lock", "compare", "hash")),
        // Evidence that contradicts itself, and none at all.
        model(cell("store", "prog", "hash"), &[]),
        stressed(cell("store", "prog", "hash"), 1_000, 1_000, 1),
        model(cell("replace", "prog", "hash"), &[]),
        model(cell("arena", "arena", "arena"), &[]),
        stressed(cell("arena", "arena", "arena"), 1_000_000, 1_000_000, 0),
        connected(cell("store", "blind", "hash"), 40_000, 12, true),
        connected(cell("replace", "compare", "hash"), 40_000, 0, false),
        // Safe without a patch, as long as everybody writes by the protocol.
        model_if_worse(lock_on_hash(), AgentUpdates, &[LostRefresh]),
        model_if_worse(lock_on_hash(), AgentStores, &[LostRefresh]),
        stressed(lock_on_hash(), 13_000_000, 400_000, 0),
        disturbed(lock_on_hash(), AgentUpdates, 100_000, 700),
        disturbed(lock_on_hash(), AgentStores, 100_000, 5),
        disturbed(lock_on_hash(), HandDeletes, 100_000, 0),
        disturbed(lock_on_hash(), Spread, 100_000, 0),
        model(cell("lock", "prog-lock-array", "hash"), &[]),
        stressed(cell("lock", "prog-lock-array", "hash"), 1_000_000, 100_000, 0),
        // The catalogue has it no more.
        model(cell("gone", "gone", "hash"), &[]),
        stressed(cell("gone", "gone", "hash"), 1_000, 1_000, 0),
    ]);
    let mut matrix = weighed(&events);
    for stress in
        matrix.rows.iter_mut().filter(|row| row.cell == lock_on_hash()).filter_map(|row| row.stress.as_mut())
    {
        (stress.opens, stress.opens_refused) = (1_000_000, 250);
        (stress.map_bytes, stress.map_entries) = (1_440_000, 10_000);
    }
    RacesFile {
        environment: environment("cargo xtask races"),
        machine: None,
        verdicts: sentences(&matrix),
        cells: matrix.rows,
    }
}

fn lock_on_hash() -> Cell {
    cell("lock", "prog-lock", "hash")
}

/// A row of one operation.
pub fn operation(operation: &str, map: &str, kernel: &str, min: f64) -> Row {
    Row {
        measure: Measure {
            group: Group::Operation,
            operation: operation.into(),
            map: map.into(),
            window: None,
            unit: Unit::Instructions,
            min,
            median: min + 1.0,
            spread: 4.0,
            n: 9,
            floor: 30.0,
            elements: 1,
            packet: None,
            job: None,
            contention: None,
        },
        origin: Origin {
            kernel: kernel.into(),
            accel: "tcg".into(),
            config_sha256: "c0ffee".repeat(10),
            compiler: "gcc (made up) 12".into(),
            image_sha256: kernel.into(),
        },
    }
}

fn with(mut row: Row, group: Group, change: impl FnOnce(&mut Measure)) -> Row {
    row.measure.group = group;
    change(&mut row.measure);
    row
}

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for map in ["hash", "lru-hash"] {
        for (kernel, factor) in [("base", 1.0), ("v3", 0.98)] {
            for (name, cost) in [
                ("look-up", 1990.0),
                ("delete hit", 1421.0),
                ("delete miss", 1305.0),
                ("delete batch", 381.0),
            ] {
                rows.push(operation(name, map, kernel, cost * factor));
            }
        }
        for (window, cost) in [(4, 1405.0), (56, 1600.0)] {
            let compare = |name| operation(name, map, "v3", cost);
            rows.push(with(compare("compare hit"), Group::Operation, |m| m.window = Some(window)));
            rows.push(with(compare("compare mismatch"), Group::Operation, |m| m.window = Some(window)));
        }
        rows.push(with(operation("compare batch, all equal", map, "v3", 430.0), Group::Operation, |m| {
            m.window = Some(4);
        }));
        rows.push(operation("program, array of keys", map, "base", 402.0));
    }
    rows.push(operation("compare-and-swap", "arena", "v3", 11.0));
    for (discipline, costs) in [
        ("store", [212.0, 212.0, 650.0]),
        ("replace", [611.0, 611.0, 655.0]),
        ("lock", [260.0, 260.0, 700.0]),
    ] {
        for (state, cost) in [FlowState::Live, FlowState::Due, FlowState::New].into_iter().zip(costs) {
            rows.push(with(operation("packet", "hash", "v3", cost), Group::Datapath, |m| {
                m.packet = Some(Packet { discipline: discipline.into(), state });
            }));
        }
    }
    rows.push(with(operation("packet", "-", "v3", 21.0), Group::Datapath, |m| {
        m.packet = Some(Packet { discipline: "empty".into(), state: FlowState::Floor });
    }));
    for (strategy, cost) in [
        ("blind", 1430.0),
        ("prog-array", 420.0),
        ("prog-lock", 2200.0),
        ("prog-lock-array", 900.0),
        ("compare", 1420.0),
        ("compare-batch", 440.0),
    ] {
        for entries in [1_000, 16_000, 512_000] {
            rows.push(with(operation("gc", "hash", "v3", 1e6), Group::Job, |m| {
                m.job = Some(Job {
                    strategy: strategy.into(),
                    entries,
                    expired_percent: 100,
                    removed: entries,
                    per_entry_looked_at: 120.0,
                    per_entry_removed: cost,
                    system_calls: entries,
                    map_bytes: entries * 144,
                    gc_bytes: 72 * 1024,
                });
            }));
        }
    }
    rows
}

/// The same operations and packets on the host's own kernel, where a delete is twice as dear, and what contends there.
pub fn native() -> BenchFile {
    let mut rows: Vec<Row> = rows()
        .into_iter()
        .filter(|row| row.origin.kernel == "base" || row.measure.packet.is_some())
        .collect();
    for (discipline, strategy, ns) in [("store", "blind", 60.0), ("arena", "arena", 30.0)] {
        rows.push(with(operation("packet", "hash", "native", ns), Group::Contention, |m| {
            m.contention = Some(Contention {
                discipline: discipline.into(),
                strategy: strategy.into(),
                packet_alone: 45.0,
                packet_ratio: ns / 45.0,
                removal: 1500.0,
                removal_alone: 1200.0,
                removal_ratio: 1.25,
            });
        }));
    }
    for row in &mut rows {
        row.measure.unit = Unit::Ns;
        row.origin.kernel = "native".into();
        row.origin.accel = "native".into();
        row.measure.min *= if row.measure.operation == "delete hit" { 2.0 } else { 1.0 };
    }
    BenchFile {
        environment: environment("cargo xtask calibrate"),
        record: Record { rows, seconds: 7.0, ..Record::default() },
    }
}

/// Figures of each table.
pub fn bench() -> BenchFile {
    let ratio = |what: &str, ratio, goal: Option<f64>| Ratio {
        what: what.into(),
        ratio,
        goal,
        reached: goal.map(|goal| ratio <= goal),
    };
    let profile = |operation: &str, window, kernel: &str, spent| Profile {
        operation: operation.into(),
        map: "hash".into(),
        window,
        kernel: kernel.into(),
        instructions: 1200,
        functions: vec![Spent { function: "__sys_bpf".into(), instructions: spent, calls: 1 }],
    };
    BenchFile {
        environment: environment("cargo xtask bench"),
        record: Record {
            image_sha256: "bb".repeat(32),
            rows: rows(),
            skipped: vec![Skipped {
                group: Group::Contention,
                what: "packets and GC".into(),
                kernel: "v3".into(),
                reason: "one vCPU".into(),
            }],
            ratios: vec![
                ratio("compare hit, window 4, hash, v3 ÷ delete hit, hash, base", 0.989, Some(1.0)),
                ratio("compare hit, window 56, hash, v3 ÷ delete hit, hash, base", 1.126, Some(1.1)),
                ratio("look-up, hash, v3 ÷ delete hit, hash, base", 1.4, None),
            ],
            profiles: vec![
                profile("delete hit", None, "base", 240),
                profile("compare hit", Some(4), "v3", 250),
            ],
            repeat_difference: Some(0.0004),
            seconds: 612.0,
        },
    }
}

/// All of it.
pub fn inputs() -> Inputs {
    Inputs {
        races: Input::Read(races()),
        here: Input::Read(here()),
        stock: vec![natively("6.1.0", &[stressed(lock_on_hash(), 1_000_000, 100_000, 0)])],
        rt: Input::NotRun("cargo xtask races --profile rt"),
        bench: Input::Read(bench()),
        calibrate: Input::Read(native()),
        vm_test: Input::Read(TestsFile {
            environment: environment("cargo xtask vm-test --with-base"),
            tests: vec![Test { status: "pass".into() }],
            splats: Vec::new(),
        }),
        kselftest: Input::NotRun("cargo xtask kselftest"),
    }
}

/// None of it.
pub fn nothing() -> Inputs {
    Inputs {
        races: Input::NotRun("cargo xtask races"),
        here: Input::NotRun("cargo xtask races --here"),
        stock: Vec::new(),
        rt: Input::NotRun("cargo xtask races --profile rt"),
        bench: Input::NotRun("cargo xtask bench"),
        calibrate: Input::NotRun("cargo xtask calibrate"),
        vm_test: Input::NotRun("cargo xtask vm-test"),
        kselftest: Input::NotRun("cargo xtask kselftest"),
    }
}
