// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a guest tells on its console, line by line.

use results::{Status, TestResult};

/// Begins the lines that are for us.
pub const MARK: &str = "@@ ";
/// Begins the lines that a test printed.
const SAID: &str = "| ";

/// What a guest said.
#[derive(Debug, Default, PartialEq)]
pub struct Told {
    /// `uname -a`, once the tests could begin.
    pub uname: Option<String>,
    /// Each test that ended, and what it printed.
    pub ended: Vec<(TestResult, String)>,
    /// A test that began and did not end, and what it printed.
    pub running: Option<(String, String)>,
    /// It came to its end.
    pub done: bool,
}

/// Reads a console.
pub fn read(console: &str) -> Told {
    let mut told = Told::default();
    for line in console.lines() {
        if let Some(text) = line.strip_prefix(SAID) {
            if let Some((_, said)) = &mut told.running {
                said.push_str(text);
                said.push('\n');
            }
            continue;
        }
        let Some((word, rest)) =
            line.strip_prefix(MARK).map(|line| line.split_once(' ').unwrap_or((line, "")))
        else {
            continue;
        };
        match word {
            "uname" => told.uname = Some(rest.to_owned()),
            "begin" => told.running = Some((rest.to_owned(), String::new())),
            "end" => {
                if let (Some(result), Some((_, said))) = (ended(rest), told.running.take()) {
                    told.ended.push((result, said));
                }
            }
            "done" => told.done = true,
            _ => {}
        }
    }
    told
}

/// `NAME CODE BEGAN ENDED`, in seconds since the boot.
fn ended(line: &str) -> Option<TestResult> {
    let mut words = line.split(' ');
    let (name, code) = (words.next()?, words.next()?);
    let (began, ended): (f64, f64) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let (status, detail) = match code {
        "0" => (Status::Pass, String::new()),
        // 128 and SIGKILL, with which `timeout` ends what is late.
        "137" => (Status::Fail, "it was killed, since it did not end in time or memory was short".into()),
        code => (Status::Fail, format!("exit status {code}")),
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "milliseconds of a guest's life"
    )]
    let ms = ((ended - began).max(0.0) * 1000.0) as u64;
    Some(TestResult { name: name.to_owned(), status, ms, detail })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_console_tells_what_ended_and_what_did_not() {
        let text = "[    0.000000] Linux version 7.3.4\n@@ uname Linux (none) 7.3.4 aarch64 GNU/Linux\n\
                    @@ begin test_progs:a\n| #1 a:OK\n[    2.000000] noise\n| Summary: 1/0\n\
                    @@ end test_progs:a 0 1.50 2.75\n@@ begin test_progs:b\n| no\n@@ end test_progs:b 1 3.00 3.10\n\
                    @@ begin test_progs:c\n| half\n";
        let told = read(text);
        assert!(told.uname.unwrap().contains("aarch64") && !told.done);
        assert_eq!(told.ended[0].1, "#1 a:OK\nSummary: 1/0\n");
        assert_eq!((told.ended[0].0.status, told.ended[0].0.ms), (Status::Pass, 1250));
        assert_eq!(
            (told.ended[1].0.status, told.ended[1].0.detail.as_str()),
            (Status::Fail, "exit status 1")
        );
        assert_eq!(told.running, Some(("test_progs:c".into(), "half\n".into())));
        assert_eq!(read("[    0.000000] Linux version 7.3.4\n"), Told::default());
    }
}
