// SPDX-License-Identifier: MIT OR Apache-2.0
//! The inputs, whether they are there or not, in names and values.

use std::collections::BTreeMap;

use super::{
    environment::Environment,
    input::{BenchFile, Input, Inputs, RacesFile, TestsFile},
    numbers::{count, value},
    page::Source,
};

/// All of them.
pub fn all(inputs: &Inputs) -> Vec<Source> {
    let mut sources = vec![
        source("The races", &inputs.races, |file| (&file.environment, Vec::new())),
        source("The races, natively", &inputs.here, races_facts),
        source("The races, PREEMPT_RT", &inputs.rt, races_facts),
    ];
    sources.extend(inputs.stock.iter().map(|file| read("The races, a stock kernel", races_facts(file))));
    sources.extend([
        source("The costs", &inputs.bench, bench_facts),
        source("The costs, natively", &inputs.calibrate, bench_facts),
        source("The tests", &inputs.vm_test, tests_facts),
        source("The kernel's own selftests", &inputs.kselftest, tests_facts),
    ]);
    sources
}

fn source<T>(
    name: &str,
    input: &Input<T>,
    of: impl Fn(&T) -> (&Environment, Vec<(String, String)>),
) -> Source {
    match input {
        Input::NotRun(command) => {
            Source { name: name.into(), command: (*command).into(), environment: None, facts: Vec::new() }
        }
        Input::Read(file) => read(name, of(file)),
    }
}

fn read(name: &str, (environment, mut facts): (&Environment, Vec<(String, String)>)) -> Source {
    if let Some(kernel) = &environment.kernel {
        facts.push(("configuration".into(), format!("{}, {}", environment.profile, kernel.config_sha256)));
        facts.push(("compiler".into(), kernel.compiler.clone()));
    }
    for other in environment.base_kernel.iter().chain(&environment.other_kernels) {
        let which = format!("{}, series {}, {}", other.version, other.series, other.config_sha256);
        facts.push(("beside it".into(), which));
    }
    let verdict = format!("{}: {}", environment.verdict.replace('_', " "), environment.reason);
    facts.push(("verdict".into(), verdict));
    Source {
        name: name.into(),
        command: environment.command.clone(),
        environment: Some(environment.clone()),
        facts,
    }
}

fn races_facts(file: &RacesFile) -> (&Environment, Vec<(String, String)>) {
    let machine = file.machine.as_ref().map(|machine| ("machine".to_owned(), machine.words()));
    (&file.environment, machine.into_iter().collect())
}

fn bench_facts(file: &BenchFile) -> (&Environment, Vec<(String, String)>) {
    let record = &file.record;
    let mut facts = vec![
        ("rows".into(), count(record.rows.len() as u64)),
        ("not measured".into(), count(record.skipped.len() as u64)),
        ("wall time".into(), format!("{} s", value(record.seconds))),
    ];
    if !record.image_sha256.is_empty() {
        facts.push(("image".into(), record.image_sha256.clone()));
    }
    (&file.environment, facts)
}

fn tests_facts(file: &TestsFile) -> (&Environment, Vec<(String, String)>) {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for test in &file.tests {
        *counts.entry(&test.status).or_default() += 1;
    }
    let counts: Vec<String> =
        counts.iter().map(|(status, number)| format!("{} {status}", count(*number))).collect();
    (
        &file.environment,
        vec![("tests".into(), counts.join(", ")), ("splats".into(), file.splats.len().to_string())],
    )
}
