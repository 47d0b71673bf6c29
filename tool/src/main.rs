// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cmpdel` deletes a BPF map entry, or sets its value, if, and only if, that is what the caller last saw.

mod args;
mod btf;
mod bytes;
mod diff;
mod gc;
mod image;
mod json;
mod layout;
mod open;
mod outcome;
mod output;
#[cfg(test)]
mod random;
mod run;
mod set;
#[cfg(test)]
mod testing;
mod typed;
mod window;

use std::io::{self, Write};
use std::process::ExitCode;

use crate::args::{Cli, Command};
use crate::outcome::Outcome;
use clap::{CommandFactory, Parser};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args_os().map(|arg| arg.to_string_lossy().into_owned()).collect();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => match args::own_words(&error, &args) {
            Some(why) => {
                let _ = writeln!(io::stderr(), "cmpdel: {why}");
                return Outcome::Usage.exit_code().into();
            }
            None => error.exit(),
        },
    };
    let code = match cli.command {
        Some(Command::Set(args)) => set::set(&args).print(args.entry.json),
        Some(Command::Gc(args)) => gc::gc(&args).print(args.json || args.keys),
        Some(Command::Probe { json }) => output::print_support(&run::support(), json),
        Some(Command::Completions { shell }) => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "cmpdel", &mut text);
            write_out(&text)
        }
        Some(Command::Man) => {
            let mut text = Vec::new();
            match args::man(&mut text) {
                Ok(()) => write_out(&text),
                Err(_) => Outcome::Error.exit_code(),
            }
        }
        None => run::delete(&cli.entry).print(cli.entry.json),
    };
    ExitCode::from(code)
}

/// Writes generated text out whole.
fn write_out(text: &[u8]) -> u8 {
    let Err(why) = output::write(text) else { return 0 };
    let _ = writeln!(io::stderr(), "cmpdel: {}", output::cannot_write(&why));
    Outcome::Error.exit_code()
}
