// SPDX-License-Identifier: MIT OR Apache-2.0
//! The race lab: one XDP conntrack workload, every refresh discipline, every gc strategy, one oracle.

mod arena;
mod bench;
mod cell;
mod collector;
mod connections;
mod datapath;
mod gate;
mod gc;
mod guest;
mod layout;
mod load;
mod model_run;
mod oracle;
mod program;
mod refresh;
mod shared;
mod stress;
mod witness;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The race lab. All but `model` want root, and a machine to throw away.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Explore every interleaving of each cell in a model, on any machine
    Model(model_run::Options),
    /// Run cells in this kernel: witness, stress, connections
    Races(guest::Options),
    /// Measure what each approach costs in this kernel
    Bench(bench::Options),
}

fn main() -> ExitCode {
    let ended = match Cli::parse().command {
        Command::Model(options) => model_run::run(&options),
        Command::Races(options) => guest::run(&options),
        Command::Bench(options) => bench::run(&options),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lab: {error:#}");
            ExitCode::FAILURE
        }
    }
}
