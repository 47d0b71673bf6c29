// SPDX-License-Identifier: MIT OR Apache-2.0
//! External commands. Each is told once as an event; the error of one that fails repeats its command line and the
//! last lines it said. Long ones run under a dead man's switch: when this program dies, by whatever signal, so does
//! every process of theirs.

use std::{
    collections::VecDeque,
    fmt,
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use anyhow::{Context, Error, Result, anyhow};
use rustix::process::{Pid, Signal, kill_process_group};
use xshell::Cmd;

use crate::{
    run::Run,
    space::{free_mib, says_full},
};

/// How many last lines an error repeats.
const LAST_LINES: usize = 15;

/// A pipe that only this program can close holds back a kill of the whole process group. (In POSIX shells a background
/// list has /dev/null as standard input, hence descriptor 3.)
const SWITCH: &str = r#"exec 3<&0; { cat <&3 >/dev/null 2>&1; kill -KILL 0; } & exec 3<&- "$@" </dev/null"#;

/// A command that said no.
#[derive(Debug)]
pub struct CommandFailed {
    /// As one could type it.
    pub line: String,
    /// Its exit status or signal.
    pub status: String,
    /// The last lines it said.
    pub last: Vec<String>,
    /// Where all of them are.
    pub log: Option<PathBuf>,
}

impl CommandFailed {
    /// What to say if it failed because the disk is full where it wrote, at `path`; nothing if it failed for another reason.
    pub fn filled(&self, path: &Path) -> Option<Error> {
        let said = self.log.as_ref().and_then(|log| fs::read_to_string(log).ok()).unwrap_or_default();
        let full = says_full(&said) || self.last.iter().any(|line| says_full(line));
        full.then(|| {
            anyhow!(
                "the disk is full: {} has {} MiB free after `{}` failed; make room (`cargo xtask clean` lists what the cache \
                 holds) and run again",
                path.display(),
                free_mib(path).unwrap_or_default(),
                self.line
            )
        })
    }
}

impl fmt::Display for CommandFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` failed ({})", self.line, self.status)?;
        if !self.last.is_empty() {
            write!(f, "; it said:")?;
        }
        for line in &self.last {
            write!(f, "\n    | {line}")?;
        }
        if let Some(log) = &self.log {
            write!(f, "\n    all of it: {}", log.display())?;
        }
        Ok(())
    }
}

impl std::error::Error for CommandFailed {}

/// A process group under the switch. Dropping it kills what is left of it.
pub struct Guarded {
    child: Child,
    switch: Option<ChildStdin>,
}

impl Guarded {
    /// Starts `command` as a group of its own. Standard output and error are as `out` and `err` say.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn spawn(command: &Command, out: Stdio, err: Stdio) -> Result<Self> {
        let mut guarded = Command::new("sh");
        guarded.args(["-c", SWITCH, "sh"]).arg(command.get_program()).args(command.get_args());
        for (key, value) in command.get_envs() {
            match value {
                Some(value) => guarded.env(key, value),
                None => guarded.env_remove(key),
            };
        }
        if let Some(dir) = command.get_current_dir() {
            guarded.current_dir(dir);
        }
        guarded.stdin(Stdio::piped()).stdout(out).stderr(err).process_group(0);
        let mut child = guarded.spawn().with_context(|| format!("cannot start `{}`", line_of(command)))?;
        let switch = child.stdin.take();
        Ok(Self { child, switch })
    }

    /// The process itself, for its pipes.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Kills the whole group.
    pub fn kill(&mut self) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // It may be gone already.
            let _ = kill_process_group(pid, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.kill();
        }
        // Ends the switch itself, and with it whatever the command left running.
        drop(self.switch.take());
    }
}

/// The command as one could type it.
pub fn line_of(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| quoted(&word.to_string_lossy()))
        .collect::<Vec<_>>()
        .join(" ")
}

/// `word` as a shell reads it back.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Runs a long command to its end: its output goes to `logs/<log>.log` and, line by line, to `on_line`.
///
/// # Errors
/// [`CommandFailed`] when it fails; the run's own limit or an interrupt.
pub fn stream(run: &dyn Run, command: &Command, log: &str, mut on_line: impl FnMut(&str)) -> Result<PathBuf> {
    let line = line_of(command);
    run.starts(&line);
    let path = run.log(log);
    let mut file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    writeln!(file, "$ {line}").with_context(|| format!("cannot write {}", path.display()))?;
    let (reader, writer) = std::io::pipe()?;
    let mut guarded = Guarded::spawn(command, writer.try_clone()?.into(), writer.into())?;
    let lines = lines_of(reader);
    let mut last = VecDeque::new();
    loop {
        match lines.recv_timeout(Duration::from_millis(200)) {
            Ok(text) => {
                // The command's own failure says more than a log that cannot be kept.
                let _ = writeln!(file, "{text}");
                on_line(&text);
                run.says(&text);
                if last.len() == LAST_LINES {
                    last.pop_front();
                }
                last.push_back(text);
            }
            Err(RecvTimeoutError::Timeout) => {
                // A process that outlived the command may hold the pipe open.
                if guarded.child().try_wait()?.is_some() {
                    break;
                }
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if let Err(e) = run.still_wanted() {
            guarded.kill();
            return Err(e.context(format!("`{line}` was stopped")));
        }
    }
    let status = guarded.child().wait()?;
    if status.success() {
        return Ok(path);
    }
    Err(CommandFailed { line, status: status.to_string(), last: last.into(), log: Some(path) }.into())
}

/// The lines of `from`, read in a thread, without their ends; bytes that are no UTF-8 are replaced.
pub fn lines_of(from: impl std::io::Read + Send + 'static) -> mpsc::Receiver<String> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut from = BufReader::new(from);
        let mut bytes = Vec::new();
        while matches!(from.read_until(b'\n', &mut bytes), Ok(n) if n > 0) {
            let text = String::from_utf8_lossy(&bytes);
            if send.send(text.trim_end_matches(['\n', '\r']).to_owned()).is_err() {
                return;
            }
            bytes.clear();
        }
    });
    receive
}

/// Runs a short command and gives what it said on standard output, without the last line end.
///
/// # Errors
/// [`CommandFailed`] with what it said on both.
pub fn read(run: &dyn Run, cmd: Cmd<'_>) -> Result<String> {
    let line = cmd.to_string();
    run.starts(&line);
    let output = cmd.quiet().ignore_status().output().with_context(|| format!("cannot start `{line}`"))?;
    let text = String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned();
    if output.status.success() {
        return Ok(text);
    }
    let said = format!("{text}\n{}", String::from_utf8_lossy(&output.stderr));
    Err(CommandFailed { line, status: output.status.to_string(), last: last_lines(&said), log: None }.into())
}

/// The last lines of `text` that say something.
pub fn last_lines(text: &str) -> Vec<String> {
    let said: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).collect();
    said[said.len().saturating_sub(LAST_LINES)..].iter().map(|l| (*l).to_owned()).collect()
}

/// Runs a command that must not be cut short (a package manager), with the terminal's own input.
///
/// # Errors
/// [`CommandFailed`].
pub fn uninterrupted(run: &dyn Run, command: &mut Command, log: &str) -> Result<()> {
    let line = line_of(command);
    run.starts(&line);
    let path = run.log(log);
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    let status: ExitStatus = command
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .status()
        .with_context(|| format!("cannot start `{line}`"))?;
    if status.success() {
        return Ok(());
    }
    let said = fs::read_to_string(&path).unwrap_or_default();
    Err(CommandFailed { line, status: status.to_string(), last: last_lines(&said), log: Some(path) }.into())
}

/// Whether `program` is in `PATH`, and where.
pub fn which(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(program)).find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_from_other_failures() {
        let failed = |said: &str| CommandFailed {
            line: "cargo test".into(),
            status: "exit status: 101".into(),
            last: vec![said.into()],
            log: None,
        };
        let full = failed("error: failed to write to `full.rmeta`: No space left on device (os error 28)");
        let said = full.filled(Path::new(".")).map(|e| e.to_string()).unwrap_or_default();
        assert!(
            said.starts_with("the disk is full: . has ") && said.contains("`cargo test` failed"),
            "{said}"
        );
        assert!(failed("error[E0433]: cannot find `no_space`").filled(Path::new(".")).is_none());
    }
}
