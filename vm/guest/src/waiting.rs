// SPDX-License-Identifier: MIT OR Apache-2.0
//! How long QEMU's threads wait for a CPU of the host. A guest whose threads do not run stands still: what its kernel then
//! says of lost time is no fault of the kernel.

use std::{
    collections::{HashMap, VecDeque},
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde::Serialize;

/// The stretch of time in which waiting is counted: longer than the kernel's watchdogs wait.
const STRETCH: Duration = Duration::from_secs(30);
/// How programs that emulate a machine are called.
const QEMU: &str = "qemu-system";

/// How long they had to wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Waited {
    /// Milliseconds, the most that one of them waited in any stretch of that length.
    pub waited_ms: u64,
    /// Milliseconds in such a stretch.
    pub of_ms: u64,
}

/// Waiting so far of each thread, in ns, by its number.
type Seen = HashMap<u64, u64>;

/// Watches the QEMU that was started in a folder.
pub struct Waiting {
    folder: PathBuf,
    processes: Vec<PathBuf>,
    seen: VecDeque<(Instant, Seen)>,
    worst: u64,
}

impl Waiting {
    /// That of the guest which uses the folder `run`.
    pub fn of(run: &Path) -> Self {
        let folder = fs::canonicalize(run).unwrap_or_else(|_| run.into());
        Self { folder, processes: Vec::new(), seen: VecDeque::new(), worst: 0 }
    }

    /// Looks once: to be called every second or so.
    pub fn look(&mut self) {
        self.processes.retain(|process| process.exists());
        if self.processes.is_empty() {
            self.processes = started_in(&self.folder);
        }
        let now: Seen = self.processes.iter().flat_map(|process| waits(process)).collect();
        self.note(Instant::now(), now);
    }

    fn note(&mut self, at: Instant, now: Seen) {
        // One that is a whole stretch old is kept: from there on it is counted.
        while self.seen.get(1).is_some_and(|(then, _)| at.duration_since(*then) >= STRETCH) {
            self.seen.pop_front();
        }
        if let Some((_, then)) = self.seen.front() {
            // A thread that was not there then began in between, with nothing.
            let waited = now.iter().map(|(id, ns)| ns.saturating_sub(then.get(id).copied().unwrap_or(0)));
            self.worst = self.worst.max(waited.max().unwrap_or(0));
        }
        self.seen.push_back((at, now));
    }

    /// What it came to.
    pub fn waited(&self) -> Waited {
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Waited { waited_ms: ms(Duration::from_nanos(self.worst)), of_ms: ms(STRETCH) }
    }
}

/// Processes of QEMU that have `folder` as their own.
fn started_in(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let is_qemu = |process: &PathBuf| {
        fs::read_to_string(process.join("comm")).is_ok_and(|name| name.starts_with(QEMU))
            && fs::read_link(process.join("cwd")).is_ok_and(|own| own == folder)
    };
    entries.flatten().map(|entry| entry.path()).filter(is_qemu).collect()
}

/// The threads of a process, each with what it has waited.
fn waits(process: &Path) -> Vec<(u64, u64)> {
    let Ok(threads) = fs::read_dir(process.join("task")) else { return Vec::new() };
    let one = |thread: fs::DirEntry| {
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        // On a CPU, waiting for one, how often.
        let waited = text.split_whitespace().nth(1)?.parse().ok()?;
        Some((thread.file_name().to_str()?.parse().ok()?, waited))
    };
    threads.flatten().filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_stretch_of_any_thread_counts() {
        let mut waiting = Waiting::of(Path::new("."));
        let (began, second) = (Instant::now(), 1_000_000_000);
        // One thread waits a tenth of the time, another all of it for 12 s.
        for n in 0..100 {
            let seen = [(1, n * second / 10), (2, (n.clamp(40, 52) - 40) * second)];
            waiting.note(began + Duration::from_secs(n), seen.into_iter().collect());
        }
        assert_eq!(waiting.waited(), Waited { waited_ms: 12_000, of_ms: 30_000 });
    }

    #[test]
    fn what_a_thread_waited_is_read() {
        let own = waits(Path::new("/proc/self"));
        assert!(!own.is_empty(), "this kernel does not count how long threads wait");
        assert!(started_in(Path::new("nowhere")).is_empty());
    }
}
