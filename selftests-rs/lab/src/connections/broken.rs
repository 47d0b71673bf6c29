// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why a connection broke: its entry was removed while it was live, or something had closed it before.

use std::collections::HashMap;

use anyhow::{Context as _, Result};
use cmpdel_uapi_raw::{Elements, Errno};

use super::client::Cut;
use crate::claims::{Claims, Counted};
use crate::contract::connection;
use crate::datapath::Datapath;
use crate::layout::Fate;

/// What collectors removed, and of each port of a client when.
#[derive(Default)]
pub struct Removals {
    /// In figures.
    pub counted: Counted,
    times: HashMap<u16, Vec<u64>>,
}

impl Claims for Removals {
    fn claim(&mut self, key: &[u8], lifetime: u32, fate: Fate, done: u64) {
        if fate == Fate::Removed
            && let Some(port) = client_port(key)
        {
            self.times.entry(port).or_default().push(done);
        }
        self.counted.claim(key, lifetime, fate, done);
    }

    fn error(&mut self, errno: Errno) {
        self.counted.error(errno);
    }

    fn dropped(&mut self, entries: u64) {
        self.counted.dropped(entries);
    }
}

/// Of a key (`contract.h`): two addresses, the source port, the destination port, and what is no port.
fn client_port(key: &[u8]) -> Option<u16> {
    let addresses = if key.len() < 2 * 16 { 2 * 4 } else { 2 * 16 };
    Some(u16::from_be_bytes(key.get(addresses..addresses + 2)?.try_into().ok()?))
}

impl Removals {
    /// Why the last connection from a port broke at that time.
    ///
    /// # Errors
    /// The kernel's.
    pub fn why(&self, datapath: &Datapath, cut: &Cut) -> Result<Option<Why>> {
        let Some(times) = self.times.get(&cut.port) else { return Ok(None) };
        Ok(Seen::of(datapath, cut.port)?.why(times, cut.broke))
    }
}

/// What the datapath noted of the last connection from a port (`struct connection` of `contract.h`), in ns.
#[derive(Clone, Copy, Debug)]
struct Seen {
    began: u64,
    opened: u64,
    closed: u64,
    missed: u64,
}

/// Why a connection broke, if it was not for want of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Its entry was removed while it was live.
    Removed,
    /// Something closed it before its entry was removed.
    Closed,
}

impl Seen {
    fn of(datapath: &Datapath, port: u16) -> Result<Self> {
        let notes =
            Elements::new(datapath.map("connections")?).context("cannot use what is noted of ports")?;
        let mut noted = [0; size_of::<connection>()];
        notes
            .look_up(&u32::from(port).to_ne_bytes(), &mut noted, 0)
            .context("cannot read what is noted of a port")?;
        let mut words =
            noted.chunks_exact(8).filter_map(|word| Some(u64::from_ne_bytes(word.try_into().ok()?)));
        let [began, opened, closed, missed] = [(); 4].map(|()| words.next().unwrap_or(0));
        Ok(Self { began, opened, closed, missed })
    }

    /// Why it broke at that time, where the entries of its port were removed at `removals`. One that lost its entry has
    /// packets that found none. A FIN or RST counts that came once it was open, and before the entry was removed.
    fn why(self, removals: &[u64], broke: u64) -> Option<Why> {
        let Self { began, opened, closed, missed } = self;
        let closed = Some(closed).filter(|closed| *closed > opened);
        let removed = removals.iter().filter(|time| (began..broke).contains(time));
        let whys = removed.map(|time| match closed {
            Some(closed) if closed < *time => Why::Closed,
            _ => Why::Removed,
        });
        whys.min_by_key(|why| *why == Why::Closed).filter(|_| missed > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removal_is_wrong_unless_something_closed_the_connection_before() {
        let seen = |closed, missed| Seen { began: 100, opened: 101, closed, missed };
        // Of the connection before, after it broke, with no packet that missed its entry.
        assert_eq!(seen(90, 3).why(&[95], 200), None);
        assert_eq!(seen(90, 3).why(&[205], 200), None);
        assert_eq!(seen(90, 0).why(&[150], 200), None);
        assert_eq!(seen(90, 3).why(&[95, 150], 200), Some(Why::Removed));
        assert_eq!(seen(140, 3).why(&[150], 200), Some(Why::Closed));
        // The first of two was wrong.
        assert_eq!(seen(140, 3).why(&[130, 150], 200), Some(Why::Removed));
    }
}
