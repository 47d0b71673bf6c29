// SPDX-License-Identifier: MIT OR Apache-2.0
//! Command lines in the documents: `$ cargo xtask …` and `$ cmpdel …` in blocks marked `console`. They are read by the
//! programs' own parsers, not run.

use std::fs;

use anyhow::{Context, Result};
use ground::{context::Ctx, exec};
use xshell::cmd;

use crate::{cargo, cli::Cli};

/// The prompts, and the program after each.
const PROMPTS: [&str; 2] = ["$ ", "# "];

/// Each documented command line with its place, and what is wrong with it.
///
/// # Errors
/// When the documents cannot be read, or `cmpdel` does not build.
pub fn check(ctx: &Ctx) -> Result<Vec<(String, Option<String>)>> {
    let sh = &ctx.sh;
    let mut checked = Vec::new();
    let documents = exec::read(ctx, cmd!(sh, "git ls-files --cached --others --exclude-standard *.md"))?;
    for document in documents.lines() {
        let text =
            fs::read_to_string(ctx.root.join(document)).with_context(|| format!("cannot read {document}"))?;
        for (number, line) in command_lines(&text) {
            if let Some(fault) = fault(ctx, &words(&line))? {
                checked.push((format!("{document}:{number}: {line}"), fault));
            }
        }
    }
    Ok(checked)
}

/// Lines with a prompt in console blocks, with their numbers.
fn command_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut inside = false;
    for (i, line) in text.lines().enumerate() {
        if let Some(info) = line.trim_start().strip_prefix("```") {
            inside = !inside && info.trim() == "console";
        } else if inside && let Some(command) = PROMPTS.iter().find_map(|prompt| line.strip_prefix(prompt)) {
            lines.push((i + 1, command.to_owned()));
        }
    }
    lines
}

/// The words of the first command of a line, as a shell splits them; a comment or a pipe ends it.
pub fn words(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let (mut word, mut quote) = (None::<String>, None::<char>);
    for c in line.chars() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                word.get_or_insert_default();
                quote = Some(c);
            }
            (None, '|' | ';' | '>' | '<' | '&') => break,
            (None, '#') if word.is_none() => break,
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// For a command line of ours: what is wrong with it, if anything. `None` for one of somebody else's.
fn fault(ctx: &Ctx, words: &[String]) -> Result<Option<Option<String>>> {
    let words: Vec<&str> = words.iter().map(String::as_str).skip_while(|word| word.contains('=')).collect();
    match words.as_slice() {
        ["cargo", "xtask", arguments @ ..] => Ok(Some(
            Cli::typed(arguments).err().map(|e| e.to_string().lines().next().unwrap_or_default().to_owned()),
        )),
        ["cmpdel", arguments @ ..] => {
            let sh = &ctx.sh;
            let cargo = cargo::program();
            // With --help last, clap reads all that is before it and then stops.
            let asked =
                exec::read(ctx, cmd!(sh, "{cargo} run --quiet --package cmpdel -- {arguments...} --help"));
            Ok(Some(asked.err().map(|e| e.to_string())))
        }
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_prompts_in_console_blocks_are_commands() {
        let text = "$ no\n```console\n$ cargo xtask doctor\noutput\n# cmpdel probe\n```\n```c\n$ no\n```\n";
        assert_eq!(command_lines(text), [(3, "cargo xtask doctor".into()), (5, "cmpdel probe".into())]);
    }

    #[test]
    fn words_are_split_as_a_shell_does() {
        assert_eq!(
            words(r#"cmpdel --key "0a 00" --expect 'u8: 1' | jq . # x"#),
            ["cmpdel", "--key", "0a 00", "--expect", "u8: 1"]
        );
    }
}
