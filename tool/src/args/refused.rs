// SPDX-License-Identifier: MIT OR Apache-2.0
//! Command lines of which the reason that clap has helps nobody.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::bytes::short;

/// Options whose value people forget to quote.
const QUOTED: [&str; 5] = ["--key", "--expect", "--value", "--where", "--older-than"];

/// What is wrong with a command line that clap refuses, and the mend; `None` where clap says it well.
#[must_use]
pub fn own_words(error: &clap::Error, args: &[String]) -> Option<String> {
    if let (ErrorKind::InvalidValue, Some(ContextValue::String(value))) =
        (error.kind(), error.get(ContextKind::InvalidValue))
        && value.to_lowercase().contains("jiffies")
    {
        return Some(format!(
            "--clock {value}: how long a jiffy is and when they began is the kernel's own, and no clock says it: give the number \
             that it is now, with --now, and the age in jiffies"
        ));
    }
    let kinds = [ErrorKind::UnknownArgument, ErrorKind::InvalidSubcommand, ErrorKind::ArgumentConflict];
    if !kinds.contains(&error.kind()) {
        return None;
    }
    other_command(args).or_else(|| unquoted(args))
}

/// `cmpdel map delete …`, as bpftool has it.
fn other_command(args: &[String]) -> Option<String> {
    let mut words = args.iter().skip(1).take_while(|word| !word.starts_with('-')).map(String::as_str);
    let first = words.next()?;
    let second = if first == "map" { words.next() } else { Some(first) };
    Some(match second {
        Some("delete" | "del" | "rm" | "remove") => {
            "`cmpdel` itself deletes, and needs no word for it: cmpdel --name NAME --key K --expect V".into()
        }
        Some("update") => "it is `set` that updates: cmpdel set --name NAME --key K --expect V --value NEW".into(),
        _ if first == "map" => {
            "the map is given by an option: cmpdel --name NAME --key K --expect V, where NAME is that of the map".into()
        }
        _ => return None,
    })
}

/// `--key 0a 00 00 00`: to the shell these are several words.
fn unquoted(args: &[String]) -> Option<String> {
    let mut args = args.iter().peekable();
    while let Some(arg) = args.next() {
        let (name, joined) = arg.split_once('=').map_or((&**arg, None), |(name, value)| (name, Some(value)));
        if !QUOTED.contains(&name) {
            continue;
        }
        let mut words: Vec<&str> = joined.into_iter().collect();
        while let Some(word) = args.next_if(|word| !word.starts_with("--")) {
            words.push(word);
        }
        let is_command =
            words.last().is_some_and(|last| ["set", "gc", "probe", "man", "completions"].contains(last));
        if words.len() > 1 && !is_command {
            let all = short(&words.join(" "));
            return Some(format!(
                "{name}: these are {} words to the shell: put quotes around them, {name} \"{all}\"",
                words.len()
            ));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Cli;
    use clap::Parser as _;

    fn said(line: &str) -> Option<String> {
        let args: Vec<String> = line.split(' ').map(Into::into).collect();
        own_words(&Cli::try_parse_from(&args).unwrap_err(), &args)
    }

    #[test]
    fn slips_that_people_make_have_a_sentence() {
        for (line, why) in [
            (
                "cmpdel --id 1 --key 0a 00 00 00 --expect 00",
                "--key: these are 4 words to the shell: put quotes around them, --key \"0a 00 00 00\"",
            ),
            ("cmpdel --id 1 --key 00 --expect 2a 00 --dry-run", "--expect: these are 2 words"),
            ("cmpdel --id 1 --key=0a 00 --expect 2a", "--key \"0a 00\""),
            ("cmpdel set --id 1 --key 00 --expect 00 --value 00 01", "--value \"00 01\""),
            ("cmpdel gc --id 1 --field f --older-than 1h 30m", "--older-than \"1h 30m\""),
            ("cmpdel gc --id 1 --field f --older-than 5 --where value.x = 5", "--where \"value.x = 5\""),
            ("cmpdel map delete id 1 key 00", "`cmpdel` itself deletes"),
            ("cmpdel delete --id 1 --key 00 --expect 00", "`cmpdel` itself deletes"),
            ("cmpdel map update id 1", "it is `set` that updates"),
            ("cmpdel map dump id 1", "by an option"),
            ("cmpdel gc --id 1 --field f --older-than 5m --clock jiffies", "with --now"),
            ("cmpdel gc --id 1 --field f --older-than 5m --clock jiffies64", "with --now"),
        ] {
            let said = said(line).unwrap_or_default();
            assert!(said.contains(why), "{line}: {said}");
        }
        for line in [
            "cmpdel --id 1 --key 00 --expect 00 probe",
            "cmpdel --id 1 --key 00",
            "cmpdel --id 1 --key 00 --expect 00 --nope",
            "cmpdel gc --id 1 --field f --older-than 5m --clock wall",
        ] {
            assert_eq!(said(line), None, "{line}");
        }
    }
}
