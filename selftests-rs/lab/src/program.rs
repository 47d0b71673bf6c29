// SPDX-License-Identifier: MIT OR Apache-2.0
//! Collectors in the kernel: loaded on the map under test, and called for one record, for an array of them or for the map.

use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::sync::atomic::Ordering::Relaxed;

use anyhow::{Context as _, Result, ensure};
use approaches::Form;
use cmpdel_uapi_raw::{Errno, run_on_context, run_on_frame};

use crate::claims::{Claims, Expired, Remove, Walk};
use crate::datapath::{MapKind, Settings};
use crate::layout::{Call, Fate, MAX_KEY, MAX_RECORDS, Record, Records, VALUE_SIZE};
use crate::load::{COLLECTORS, Denied, Loaded, load_some, object};
use crate::shared::Shared;
use crate::target::Target;
use crate::value::{lifetime_of, tag_of};

/// A loaded `bpf/gc/NAME.bpf.c`.
pub struct Program<'a> {
    loaded: Loaded,
    /// The entry of its form.
    entry: OwnedFd,
    call: Shared<Call>,
    records: Shared<Records>,
    target: Target<'a>,
    key_size: usize,
    form: Form,
    way: Way,
}

/// How a program is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// As a syscall program.
    Syscall,
    /// As one of packets, with bottom halves off.
    Frame,
}

/// A frame for those who look at none.
const FRAME: [u8; 64] = [0; 64];
/// The end of the names of programs that are run on frames.
const ON_FRAME: &str = "_tc";

/// The name of its entry in the program.
fn entry_of(form: Form, way: Way) -> String {
    let form = match form {
        Form::Single => "single",
        Form::Array => "array",
        Form::Walk => "walk",
    };
    let end = if way == Way::Frame { ON_FRAME } else { "" };
    format!("{form}{end}")
}

impl<'a> Program<'a> {
    /// Loads `name` on the target's map. Maps that the datapath has as well are its own.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn load(name: &str, form: Form, target: Target<'a>) -> Result<Self, Denied> {
        let elements = target.elements()?;
        let (key_size, map) = (elements.key_size(), target.map);
        let object = object(COLLECTORS, name)?;
        let way = way_of(object);
        let prepare = |section: &str, open: &mut libbpf_rs::OpenMapMut<'_>| {
            match section {
                "entries" => open.reuse_fd(map)?,
                "control" => open.reuse_fd(target.datapath.map(section)?)?,
                // A datapath that takes none leaves the collector with stripes of its own.
                "keep_stripes" => {
                    if let Ok(stripes) = target.datapath.map(section) {
                        open.reuse_fd(stripes)?;
                    }
                }
                ".rodata" => {
                    let data = open.initial_value_mut().context("there is no config to set")?;
                    let settings = Settings { gated: target.gated, ..target.datapath.settings() };
                    let config = settings.rodata();
                    let place = data.get_mut(..config.len()).context("the config is too short")?;
                    place.copy_from_slice(&config);
                }
                _ => {}
            }
            Ok(())
        };
        let loaded = load_some(object, prepare, |entry| entry.ends_with(ON_FRAME) == (way == Way::Frame))?;
        let records = Shared::map(loaded.map("records")?)?;
        let call = Shared::map(loaded.map("calls")?)?;
        if elements.value_size() != VALUE_SIZE || key_size > MAX_KEY {
            return Err(
                anyhow::anyhow!("the map under test holds other keys or values than records do").into()
            );
        }
        let entry = loaded.program(&entry_of(form, way))?;
        let entry = entry.try_clone_to_owned().context("cannot keep a program")?;
        Ok(Self { loaded, entry, call, records, target, key_size, form, way })
    }

    /// What the program hears of the kernel when it works on the record of an absent key. It is not gated.
    ///
    /// # Errors
    /// When it cannot be run, or leaves the record out.
    pub fn answer_to_absent(&self) -> Result<Result<(), Errno>> {
        self.ask(&[0xff; MAX_KEY][..self.key_size], &[]);
        let entry = self.loaded.program(&entry_of(Form::Single, self.way))?.try_clone_to_owned()?;
        self.run(&entry, 0)?;
        let one = &self.call.one;
        ensure!(Fate::of(one.fate.load(Relaxed)).is_some(), "the collector left its record out");
        let err = i32::from(one.err.load(Relaxed));
        Ok(if err == 0 { Ok(()) } else { Err(Errno(-err)) })
    }

    /// Fills in the record of the single form.
    fn ask(&self, key: &[u8], value: &[u8]) {
        fill(&self.call.one, key, value);
    }

    /// Calls the program as its form has it.
    fn call(&self, now: u32) -> Result<()> {
        self.run(&self.entry, now)
            .with_context(|| format!("in `{}` of the collector", entry_of(self.form, self.way)))
    }

    fn run(&self, entry: &OwnedFd, now: u32) -> Result<()> {
        self.call.now.store(now, Relaxed);
        self.call.map_fd.store(self.target.map.as_raw_fd(), Relaxed);
        self.call.key_size.store(u32::try_from(self.key_size).unwrap_or(0), Relaxed);
        let answer = match self.way {
            // What it is called with is in the map; the kernel wants a context of some size.
            Way::Syscall => run_on_context(entry.as_fd(), &mut [0; 8]),
            Way::Frame => run_on_frame(entry.as_fd(), &FRAME),
        };
        let answer = answer.context("cannot run a collector")?;
        ensure!(answer == 0, "the collector gave up with {answer}");
        Ok(())
    }

    /// Tells what came of a record.
    fn claim(&self, record: &Record, claims: &mut dyn Claims) -> Result<()> {
        let mut key = [0; MAX_KEY];
        for (bytes, shared) in key.chunks_exact_mut(8).zip(&record.key[..self.key_size.div_ceil(8)]) {
            bytes.copy_from_slice(&shared.load(Relaxed).to_ne_bytes());
        }
        let fate = Fate::of(record.fate.load(Relaxed)).context("the collector left a record out")?;
        claims.claim(&key[..self.key_size], record.lifetime.load(Relaxed), fate, record.done.load(Relaxed));
        if fate == Fate::Error {
            claims.error(Errno(-i32::from(record.err.load(Relaxed))));
        }
        Ok(())
    }
}

impl Remove for Program<'_> {
    fn remove(&mut self, expired: &[Expired<'_>], now: u32, claims: &mut dyn Claims) -> Result<()> {
        if self.form == Form::Single {
            for entry in expired {
                self.ask(entry.key, entry.value);
                self.call(now)?;
                self.claim(&self.call.one, claims)?;
            }
            return Ok(());
        }
        for chunk in expired.chunks(MAX_RECORDS) {
            for (record, entry) in self.records.record.iter().zip(chunk) {
                fill(record, entry.key, entry.value);
            }
            self.call.count.store(u32::try_from(chunk.len()).unwrap_or(0), Relaxed);
            self.call(now)?;
            for record in &self.records.record[..chunk.len()] {
                self.claim(record, claims)?;
            }
        }
        Ok(())
    }
}

impl Walk for Program<'_> {
    fn walk(&mut self, now: u32, claims: &mut dyn Claims) -> Result<()> {
        if !self.target.datapath.settings().oracle {
            self.call(now)?;
            claims.dropped(self.call.count.load(Relaxed).into());
            return Ok(());
        }
        loop {
            self.call(now)?;
            let listed = self.call.count.load(Relaxed) as usize;
            let mut removed = false;
            for record in self.records.record.iter().take(listed) {
                self.claim(record, claims)?;
                removed |= Fate::of(record.fate.load(Relaxed)) == Some(Fate::Removed);
            }
            // There was no room to tell of more: it goes on from the beginning, where those that it told of are gone. On RHASH a
            // walk ends where it removes, since the key that it would go on from is gone (`bpf_each_rhash_elem`).
            let cut_short = removed && self.target.datapath.settings().map == MapKind::Rhash;
            if self.call.full.load(Relaxed) == 0 && !cut_short {
                return Ok(());
            }
        }
    }
}

fn fill(record: &Record, key: &[u8], value: &[u8]) {
    for (i, shared) in record.key.iter().enumerate() {
        let bytes = key.get(8 * i..).unwrap_or_default();
        let mut word = [0; 8];
        let length = bytes.len().min(8);
        word[..length].copy_from_slice(&bytes[..length]);
        shared.store(u64::from_ne_bytes(word), Relaxed);
    }
    record.lifetime.store(lifetime_of(value), Relaxed);
    record.tag.store(tag_of(value), Relaxed);
    record.fate.store(0, Relaxed);
    record.err.store(0, Relaxed);
}

/// A program that must not be interrupted has entries of both kinds. Where the kernel lets no program turn interrupts off, it
/// has to be run on a frame.
fn way_of(object: &[u8]) -> Way {
    let has_both = object.windows(ON_FRAME.len() + 1).any(|name| name == b"_tc\0");
    if has_both && !keep::can_turn_interrupts_off() { Way::Frame } else { Way::Syscall }
}
