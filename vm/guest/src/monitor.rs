// SPDX-License-Identifier: MIT OR Apache-2.0
//! Has the whole guest stand still for a while, as a suspended host would, by means of QEMU's monitor (QMP). The guest asks
//! through files in the run folder ([`results::time::stop`]).

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    os::{fd::AsRawFd, unix::net::UnixStream},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use ground::cache::write_whole;
use results::time::stop::Files;
use serde_json::Value;

use crate::beside::Beside;

/// The monitor's socket in the run folder.
const SOCKET: &str = "monitor.sock";
/// Between looks for a request.
const TICK: Duration = Duration::from_millis(10);
/// For an answer of the monitor.
const ANSWER: Duration = Duration::from_secs(10);
/// The longest stop that is taken for meant.
const LONGEST: Duration = Duration::from_secs(120);

/// The monitor beside the guest that uses the fresh folder `run`.
pub fn beside(run: &Path) -> Beside<'_> {
    Beside {
        qemu: vec!["-qmp".into(), format!("unix:{SOCKET},server=on,wait=off")],
        task: Some(Box::new(|over| serve(run, over))),
    }
}

/// Serves the requests of the guest until `over`. What goes wrong is told to the guest, who asked.
///
/// # Errors
/// When an answer cannot be written.
fn serve(run: &Path, over: &AtomicBool) -> Result<()> {
    let mut number = 0;
    while !over.load(Ordering::Relaxed) {
        let files = Files(number);
        let Ok(request) = fs::read_to_string(run.join(files.request())) else {
            thread::sleep(TICK);
            continue;
        };
        match stop(run, &request, over) {
            Ok(stood) => write_whole(&run.join(files.done()), stood.as_millis().to_string().as_bytes())?,
            Err(why) => write_whole(&run.join(files.failed()), format!("{why:#}").as_bytes())?,
        }
        number += 1;
    }
    Ok(())
}

/// Stops the guest for that many milliseconds. Whatever happens in between, the last act is to let it go on.
fn stop(run: &Path, request: &str, over: &AtomicBool) -> Result<Duration> {
    let ms = request.trim().parse().with_context(|| format!("{request:?} is no number of milliseconds"))?;
    let wanted = Duration::from_millis(ms).min(LONGEST);
    let mut monitor = Monitor::connect(run)?;
    monitor.execute("stop")?;
    let since = Instant::now();
    while since.elapsed() < wanted && !over.load(Ordering::Relaxed) {
        thread::sleep(TICK.min(wanted.saturating_sub(since.elapsed())));
    }
    let stood = since.elapsed();
    monitor.execute("cont")?;
    Ok(stood)
}

/// A connection to the monitor.
struct Monitor {
    stream: UnixStream,
    lines: BufReader<UnixStream>,
}

impl Monitor {
    /// By way of the folder's descriptor: the path of a socket has 107 bytes at most.
    fn connect(run: &Path) -> Result<Self> {
        let folder = File::open(run).with_context(|| format!("cannot open {}", run.display()))?;
        let socket = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())).join(SOCKET);
        let stream = UnixStream::connect(socket)
            .with_context(|| format!("cannot reach QEMU's monitor at {}", run.join(SOCKET).display()))?;
        stream.set_read_timeout(Some(ANSWER)).context("cannot limit the wait for QEMU's monitor")?;
        Self::greet(stream)
    }

    /// It greets first, and wants to hear of what its partner is capable.
    fn greet(stream: UnixStream) -> Result<Self> {
        let lines = BufReader::new(stream.try_clone().context("cannot read from QEMU's monitor")?);
        let mut monitor = Self { stream, lines };
        let greeting = monitor.line()?;
        if greeting.get("QMP").is_none() {
            bail!("QEMU's monitor greets with {greeting}");
        }
        monitor.execute("qmp_capabilities")?;
        Ok(monitor)
    }

    /// Executes a command without arguments. Events that come before its answer are passed over.
    fn execute(&mut self, command: &str) -> Result<()> {
        let line = serde_json::json!({ "execute": command });
        writeln!(self.stream, "{line}").context("cannot write to QEMU's monitor")?;
        loop {
            let answer = self.line()?;
            if answer.get("return").is_some() {
                return Ok(());
            }
            if let Some(error) = answer.get("error") {
                bail!("QEMU's monitor answers {command} with {error}");
            }
        }
    }

    fn line(&mut self) -> Result<Value> {
        let mut line = String::new();
        let read = self.lines.read_line(&mut line).context("cannot read from QEMU's monitor")?;
        if read == 0 {
            bail!("QEMU's monitor closed the connection: the guest is gone");
        }
        serde_json::from_str(&line).with_context(|| format!("QEMU's monitor says {line:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers each line with `answers`, in turn.
    fn monitor(answers: &'static [&'static str]) -> Result<Monitor> {
        let (client, server) = UnixStream::pair().unwrap();
        thread::spawn(move || {
            let mut lines = BufReader::new(server.try_clone().unwrap()).lines();
            let mut server = server;
            for (i, answer) in answers.iter().enumerate() {
                if i > 0 {
                    lines.next().unwrap().unwrap();
                }
                writeln!(server, "{answer}").unwrap();
            }
        });
        Monitor::greet(client)
    }

    #[test]
    fn events_before_an_answer_are_passed_over() {
        const ANSWERS: &[&str] =
            &["{\"QMP\": {}}", "{\"return\": {}}", "{\"event\": \"STOP\"}\n{\"return\": {}}"];
        monitor(ANSWERS).unwrap().execute("stop").unwrap();
    }

    #[test]
    fn what_goes_wrong_is_said() {
        assert!(monitor(&["{}"]).err().unwrap().to_string().contains("greets with"));
        let mut refuses = monitor(&["{\"QMP\": {}}", "{\"return\": {}}", "{\"error\": \"no\"}"]).unwrap();
        assert!(refuses.execute("stop").unwrap_err().to_string().contains("answers stop with"));
        assert!(refuses.execute("cont").is_err(), "it is gone");
    }
}
