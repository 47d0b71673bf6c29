// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the datapath notes of each source port, and what that says of its entry: the judge of real connections. A packet that
//! finds no entry says whether one was to be there. What no packet comes by to find is looked for once nobody removes any.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed, Ordering::SeqCst};

use anyhow::{Context as _, Result};
use cmpdel_uapi_raw::Elements;

use crate::datapath::Datapath;
use crate::layout::{Connection as Port, Connections};
use crate::shared::Shared;

/// Maps of entries.
const MAPS: [&str; 2] = ["ct4", "ct6"];

/// A view of it.
pub struct Noted(Shared<Connections>);

/// Since the datapath was loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Packets that found no entry though it was to be there, and entries that were to be there when all was over.
    pub lost: u64,
    /// Connections with data after a RST.
    pub went_on: u64,
    /// Packets that found another flow's state in their entry.
    pub foreign: u64,
    /// SYNs that found the entry of the connection before still there after its time, and took it again.
    pub reopened: u64,
}

impl Noted {
    /// That of a datapath with [`crate::datapath::Settings::connections`].
    ///
    /// # Errors
    /// When it has none.
    pub fn of(datapath: &Datapath) -> Result<Self> {
        Ok(Self(Shared::map(datapath.map("connections")?)?))
    }

    /// Over all ports of that datapath.
    pub fn sums(&self, datapath: &Datapath) -> Sums {
        let sum = |count: fn(&Port) -> &AtomicU32| {
            self.0.ports.iter().map(|port| u64::from(count(port).load(Relaxed))).sum()
        };
        Sums {
            lost: sum(|port| &port.lost),
            went_on: sum(|port| &port.went_on),
            foreign: datapath.control().foreign.load(Relaxed),
            reopened: sum(|port| &port.reopened),
        }
    }

    /// Counts entries that are to be there and are not. Nobody removes any now, and the clock stands; packets may still come.
    ///
    /// # Errors
    /// The kernel's.
    pub fn count_missing(&self, datapath: &Datapath) -> Result<()> {
        let now = datapath.control().now.load(SeqCst);
        let is_due = |port: &Port| port.until.load(SeqCst) > 0 && port.until.load(SeqCst) >= now;
        // Before the maps are read: what is written in between is there.
        let due: Vec<_> = self.0.ports.iter().enumerate().filter(|(_, port)| is_due(port)).collect();
        // A late packet that replaces its entry may hide it from one walk.
        let mut there = HashSet::new();
        for map in MAPS.into_iter().chain(MAPS) {
            let elements = elements(datapath, map)?;
            let mut key = None;
            while let Some(next) = elements.next_key(key.as_deref()).context("cannot list the entries")? {
                there.insert(port_of(&next));
                key = Some(next);
            }
        }
        for (_, port) in due.into_iter().filter(|(number, _)| !there.contains(number)) {
            port.until.store(0, Relaxed);
            port.lost.fetch_add(1, Relaxed);
        }
        Ok(())
    }

    /// Removes all entries, and forgets them. What is lost stays counted.
    ///
    /// # Errors
    /// The kernel's.
    pub fn clear(&self, datapath: &Datapath) -> Result<()> {
        // What misses an entry that is removed here is not lost.
        let lost: Vec<u32> = self.0.ports.iter().map(|port| port.lost.load(Relaxed)).collect();
        for map in MAPS {
            let elements = elements(datapath, map)?;
            // Nobody makes entries any more.
            while let Some(key) = elements.next_key(None).context("cannot list the entries to remove")? {
                elements.delete(&key).context("cannot remove an entry")?;
            }
        }
        for (port, lost) in self.0.ports.iter().zip(lost) {
            port.until.store(0, Relaxed);
            port.lost.store(lost, Relaxed);
        }
        Ok(())
    }
}

fn elements<'a>(datapath: &'a Datapath, map: &str) -> Result<Elements<'a>> {
    Elements::new(datapath.map(map)?).context("cannot use a map of entries")
}

/// The source port in a `struct ct4_key` or `struct ct6_key`: both end alike.
fn port_of(key: &[u8]) -> usize {
    match key {
        [.., high, low, _, _, _, _] => usize::from(u16::from_be_bytes([*high, *low])),
        _ => usize::MAX,
    }
}

#[cfg(test)]
mod tests {
    use approaches::{MapKind, Refresh};
    use cmpdel_uapi_raw::run_on_frame;

    use super::*;
    use crate::contract::ct_value;
    use crate::datapath::Settings;
    use crate::load::or_skipped;

    const SYN: u8 = 2;
    const ACK: u8 = 16;
    const FIN: u8 = 1 | ACK;
    const RST: u8 = 4;
    /// Ticks of an entry in use, and of a closing one.
    const LASTS: u32 = 100;
    const CLOSES: u32 = 40;

    /// A datapath, and one of its ports.
    struct Flow {
        datapath: Datapath,
        noted: Noted,
        ipv6: bool,
        port: u16,
    }

    impl Flow {
        /// `None` where this may load no datapath.
        fn open(refresh: Refresh, ipv6: bool, port: u16) -> Option<Self> {
            let settings = Settings {
                timeout: LASTS,
                closing_timeout: CLOSES,
                connections: true,
                ..Settings::new(MapKind::Hash, 16)
            };
            let datapath = or_skipped(Datapath::load(&refresh.to_string(), settings))?;
            let noted = Noted::of(&datapath).unwrap();
            Some(Self { datapath, noted, ipv6, port })
        }

        /// A segment with those flags comes at that tick.
        fn packet(&self, tick: u32, flags: u8) {
            let mut frame = vec![0; 12];
            if self.ipv6 {
                frame.extend([0x86, 0xdd, 0x60, 0, 0, 0, 0, 20, 6, 64]);
                frame.extend([1; 32]);
            } else {
                frame.extend([8, 0, 0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0]);
                frame.extend([1; 8]);
            }
            frame.extend(self.port.to_be_bytes());
            frame.extend([0, 80, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, flags, 0, 0, 0, 0, 0, 0]);
            self.datapath.set_clock(tick);
            run_on_frame(self.datapath.program().unwrap(), &frame).unwrap();
        }

        /// Somebody removes the entry.
        fn remove(&self) {
            let elements = elements(&self.datapath, MAPS[usize::from(self.ipv6)]).unwrap();
            let key = elements.next_key(None).unwrap().expect("an entry to remove");
            elements.delete(&key).unwrap();
        }

        fn lost(&self) -> u64 {
            self.noted.sums(&self.datapath).lost
        }
    }

    /// Datapaths that write with each packet, and with few; both families; ports at both ends.
    fn everywhere(test: impl Fn(&Flow)) {
        for refresh in [Refresh::Store, Refresh::HalfLifeStripe] {
            for ipv6 in [false, true] {
                for port in [1, u16::MAX] {
                    let Some(flow) = Flow::open(refresh, ipv6, port) else { return };
                    println!("{refresh}, IPv6 {ipv6}, port {port}");
                    test(&flow);
                }
            }
        }
    }

    #[test]
    fn a_packet_that_misses_a_live_entry_is_a_loss() {
        everywhere(|flow| {
            flow.packet(1, SYN);
            flow.packet(2, ACK);
            assert_eq!(flow.lost(), 0);
            flow.remove();
            flow.packet(3, ACK);
            assert_eq!(flow.lost(), 1, "of a new connection");
            flow.packet(4, SYN);
            assert_eq!(flow.lost(), 2, "a SYN that makes it anew");
            flow.packet(5, FIN);
            flow.remove();
            flow.packet(5 + CLOSES, FIN);
            assert_eq!(flow.lost(), 3, "in its last tick");
        });
    }

    #[test]
    fn a_packet_that_misses_one_whose_time_is_over_is_none() {
        everywhere(|flow| {
            flow.packet(1, ACK);
            assert_eq!(flow.lost(), 0, "there never was one");
            flow.packet(1, SYN);
            flow.packet(2, FIN);
            flow.remove();
            flow.packet(3 + CLOSES, ACK);
            flow.packet(3 + CLOSES, SYN);
            flow.packet(4 + CLOSES, FIN);
            flow.packet(6 + 2 * CLOSES, SYN);
            assert_eq!(flow.noted.sums(&flow.datapath), Sums { reopened: 1, ..Sums::default() });
            flow.packet(6 + 2 * CLOSES + LASTS, ACK);
            assert_eq!(flow.noted.sums(&flow.datapath), Sums { reopened: 1, ..Sums::default() });
        });
    }

    #[test]
    fn data_after_a_reset_is_told_once() {
        everywhere(|flow| {
            for flags in [SYN, RST, RST, ACK, ACK, SYN, ACK] {
                flow.packet(1, flags);
            }
            assert_eq!(flow.noted.sums(&flow.datapath), Sums { went_on: 1, ..Sums::default() });
        });
    }

    #[test]
    fn an_entry_that_is_missing_at_the_end_is_a_loss() {
        everywhere(|flow| {
            flow.packet(1, SYN);
            flow.noted.count_missing(&flow.datapath).unwrap();
            assert_eq!(flow.lost(), 0, "it is there");
            flow.remove();
            for _ in 0..2 {
                flow.noted.count_missing(&flow.datapath).unwrap();
                assert_eq!(flow.lost(), 1, "it is counted once");
            }
            flow.packet(2, SYN);
            flow.packet(3, FIN);
            flow.remove();
            flow.datapath.set_clock(4 + CLOSES);
            flow.noted.count_missing(&flow.datapath).unwrap();
            assert_eq!(flow.lost(), 1, "its time is over");
        });
    }

    #[test]
    fn an_entry_with_the_state_of_another_flow_is_told() {
        everywhere(|flow| {
            flow.packet(1, SYN);
            let elements = elements(&flow.datapath, MAPS[usize::from(flow.ipv6)]).unwrap();
            let (key, mut value) =
                (elements.next_key(None).unwrap().unwrap(), vec![0; elements.value_size()]);
            elements.look_up(&key, &mut value, 0).unwrap();
            value[std::mem::offset_of!(ct_value, backend)] ^= 1;
            elements.update(&key, &value, 0).unwrap();
            flow.packet(2, ACK);
            assert_eq!(flow.noted.sums(&flow.datapath), Sums { foreign: 1, ..Sums::default() });
        });
    }

    #[test]
    fn what_the_test_removes_is_not_lost() {
        everywhere(|flow| {
            flow.packet(1, SYN);
            flow.remove();
            flow.packet(1, ACK);
            flow.packet(1, SYN);
            assert_eq!(flow.lost(), 2);
            flow.noted.clear(&flow.datapath).unwrap();
            flow.packet(1, ACK);
            flow.noted.count_missing(&flow.datapath).unwrap();
            assert_eq!(flow.lost(), 2);
        });
    }
}
