// SPDX-License-Identifier: MIT OR Apache-2.0
//! The race lab: one XDP conntrack workload, every refresh discipline, every gc strategy, one oracle.

mod arena;
mod bench;
mod claims;
mod clock;
mod collector;
mod connections;
mod contract;
mod cpus;
mod datapath;
mod gate;
mod gc;
mod generations;
mod guest;
mod layout;
mod load;
mod map_kind;
mod oracle;
mod pinned;
mod program;
mod shared;
mod soak;
mod stress;
mod swap;
mod target;
mod time;
mod timers;
mod value;
mod witness;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The race lab. It wants root, and a machine to throw away.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run cells in this kernel: witness, stress, connections
    Races(guest::Options),
    /// Measure what each approach costs in this kernel
    Bench(bench::Options),
    /// Run everything at once for a long time, and look at memory
    Soak(soak::Options),
    /// A collector in a process of its own: a part of a soak
    #[command(hide = true)]
    Collect(soak::collect::Options),
    /// Hold a CPU with a lock, stop the guest, set its clocks, and say what is seen of it
    Time(time::Options),
}

fn main() -> ExitCode {
    let ended = match Cli::parse().command {
        Command::Races(options) => guest::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::Soak(options) => soak::run(&options),
        Command::Collect(options) => soak::collect::run(&options),
        Command::Time(options) => time::run(&options),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lab: {error:#}");
            ExitCode::FAILURE
        }
    }
}
