// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is read every so often.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use cmpdel_uapi_raw::{Elements, Snapshot};
use results::soak::{Gauge, Kind, Sample};
use std::os::fd::AsFd as _;

use super::beat::Beats;
use super::board::Page;
use super::memory;
use super::worker::Worker;
use crate::datapath::Datapath;

/// Where a number is read.
enum Source {
    Page(Arc<Page>),
    Kernel(&'static str),
    Process(u32),
}

impl Source {
    fn read(&self) -> Option<u64> {
        match self {
            Self::Page(page) => Some(page.bytes.load(Relaxed)).filter(|&bytes| bytes > 0),
            Self::Kernel(name) => memory::kernel(name),
            Self::Process(id) => memory::of_process(*id),
        }
    }
}

/// Reads all gauges.
pub struct Sampler {
    began: Instant,
    gauges: Vec<(Gauge, Source)>,
    datapaths: Vec<Arc<Datapath>>,
    pages: Vec<Arc<Page>>,
}

impl Sampler {
    /// Of the workers, by their names.
    pub fn of<'a>(workers: impl Iterator<Item = (&'a str, &'a dyn Worker, &'a Arc<Page>)>) -> Self {
        let mut sampler =
            Self { began: Instant::now(), gauges: Vec::new(), datapaths: Vec::new(), pages: Vec::new() };
        let mut add = |name: &str, kind, source| {
            sampler.gauges.push((Gauge { name: name.to_owned(), kind }, source));
        };
        for (name, worker, page) in workers {
            if let Some(datapath) = worker.datapath() {
                sampler.datapaths.push(datapath);
            }
            if worker.tells_bytes() {
                add(name, Kind::Map, Source::Page(Arc::clone(page)));
            }
            if let Some(id) = worker.process() {
                add("a collector of keep's", Kind::Collector, Source::Process(id));
            }
            sampler.pages.push(Arc::clone(page));
        }
        for name in memory::KERNEL {
            add(name, Kind::Kernel, Source::Kernel(name));
        }
        add("the lab, with its collectors", Kind::Lab, Source::Process(std::process::id()));
        sampler
    }

    /// What is read.
    pub fn gauges(&self) -> Vec<Gauge> {
        self.gauges.iter().map(|(gauge, _)| gauge.clone()).collect()
    }

    /// Reads all of it now.
    pub fn sample(&self, beats: &Beats) -> Sample {
        let (stood_ms, late_ms) = beats.asked();
        let mut sums = [0; 3];
        for page in &self.pages {
            sums.iter_mut().zip(page.sums()).for_each(|(sum, part)| *sum += part);
        }
        let [refreshes, deletes, losses] = sums;
        Sample {
            at_ms: u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            stood_ms,
            late_ms,
            bytes: self.gauges.iter().map(|(_, source)| source.read()).collect(),
            entries: self.datapaths.iter().map(|datapath| entries(datapath)).sum(),
            refreshes,
            deletes,
            losses,
        }
    }
}

/// Entries in the maps of a datapath, about: they come and go meanwhile.
fn entries(datapath: &Datapath) -> u64 {
    const ROOM: u32 = 4096;
    let mut sum = 0;
    for map in datapath.tables().unwrap_or_default() {
        let Ok(elements) = Elements::new(map.as_fd()) else { continue };
        let (mut position, mut snapshot) = (None, Snapshot::default());
        // What cannot be read now is read the next time.
        while let Ok(next) = elements.look_up_batch(position.as_ref(), ROOM, &mut snapshot) {
            sum += snapshot.count as u64;
            position = next;
            if position.is_none() {
                break;
            }
        }
    }
    sum
}
