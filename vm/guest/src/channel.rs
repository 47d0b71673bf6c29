// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the guest says through files that both sides see. The console decides nothing: the kernel writes there too,
//! and a guest can print anything before it panics.

use std::{
    fs::{self, File},
    io::{Read, Seek, SeekFrom},
    marker::PhantomData,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow};
use serde::de::DeserializeOwned;

/// Events, one a line, written by the program.
pub const EVENTS: &str = "events.jsonl";
/// The program's exit status, written by the guest's script after it.
pub const STATUS: &str = "status";
/// Made by the script as its first act.
pub const UP: &str = "up";

/// Copies the events in the folder `dir` to `keep`, if there are any: what was said is kept, however it ended.
///
/// # Errors
/// When `keep` cannot be written.
pub fn keep_events(dir: &Path, keep: &Path) -> Result<()> {
    let said = dir.join(EVENTS);
    if said.exists() {
        fs::copy(said, keep).with_context(|| format!("cannot write {}", keep.display()))?;
    }
    Ok(())
}

/// The host's end, for events of type `E`.
pub struct Channel<E> {
    dir: PathBuf,
    read: u64,
    rest: Vec<u8>,
    says: PhantomData<E>,
}

impl<E: DeserializeOwned> Channel<E> {
    /// For the folder `dir`, in which nothing is yet.
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.into(), read: 0, rest: Vec::new(), says: PhantomData }
    }

    /// The events that came since the last call.
    ///
    /// # Errors
    /// When the file cannot be read or holds a whole line that is no event.
    pub fn events(&mut self) -> Result<Vec<E>> {
        let path = self.dir.join(EVENTS);
        let Ok(mut file) = File::open(&path) else { return Ok(Vec::new()) };
        file.seek(SeekFrom::Start(self.read))?;
        let mut new = Vec::new();
        file.read_to_end(&mut new).with_context(|| format!("cannot read {}", path.display()))?;
        self.read += new.len() as u64;
        self.rest.extend(new);
        let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else { return Ok(Vec::new()) };
        let whole: Vec<u8> = self.rest.drain(..=end).collect();
        results::read_events(&String::from_utf8_lossy(&whole))
            .map_err(|e| anyhow!("the guest wrote something that is no event: {e}"))
    }

    /// The script has begun.
    pub fn is_up(&self) -> bool {
        self.dir.join(UP).exists()
    }

    /// The program's exit status, once it has one.
    pub fn status(&self) -> Option<i32> {
        fs::read_to_string(self.dir.join(STATUS)).ok()?.trim().parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use results::Event;
    use std::io::Write;

    #[test]
    fn lines_are_read_once_and_only_when_whole() {
        let dir = std::env::temp_dir().join(format!("channel-test-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let mut channel = Channel::<Event>::new(&dir);
        assert!(channel.events().unwrap().is_empty());
        let mut file = File::create(dir.join(EVENTS)).unwrap();
        write!(file, "{{\"event\":\"started\",\"name\":\"a\"}}\n{{\"event\":").unwrap();
        assert_eq!(channel.events().unwrap(), [Event::Started { name: "a".into() }]);
        writeln!(file, "\"done\",\"tests\":0}}").unwrap();
        assert_eq!(channel.events().unwrap(), [Event::Done { tests: 0 }]);
        writeln!(file, "hello").unwrap();
        assert!(channel.events().is_err());
        fs::remove_dir_all(dir).unwrap();
    }
}
