// SPDX-License-Identifier: MIT OR Apache-2.0
//! Collectors that are syscall programs: loaded on the map under test, and called for one record or for an array.

use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};
use std::sync::atomic::Ordering::Relaxed;

use anyhow::{Context as _, Result, ensure};
use cmpdel_uapi_raw::{Errno, run_on_context};

use crate::collector::{Claims, Expired, Remove, Target, Walk, lifetime_of};
use crate::layout::{Fate, MAX_KEY, MAX_RECORDS, Records, VALUE_SIZE};
use crate::load::{COLLECTORS, Denied, Loaded, load, object};
use crate::shared::Shared;

/// A loaded `bpf/gc/NAME.bpf.c`.
pub struct Program<'a> {
    loaded: Loaded,
    /// The entry of its form.
    entry: OwnedFd,
    records: Shared<Records>,
    target: Target<'a>,
    key_size: usize,
    form: Form,
}

/// How often the program is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Once for a record, which is its context.
    Single,
    /// Once for up to [`MAX_RECORDS`].
    Array,
    /// Once for the map, which it walks by itself.
    Walk,
}

impl Form {
    /// The name of its entry in the program.
    fn entry(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Array => "array",
            Self::Walk => "walk",
        }
    }
}

/// Runs a program with `call` as its context, and returns it as the program left it.
fn run(program: BorrowedFd<'_>, call: &Call) -> Result<Call> {
    let mut context = call.bytes();
    let answer = run_on_context(program, &mut context).context("cannot run a collector")?;
    ensure!(answer == 0, "the collector gave up with {answer}");
    Ok(Call::of(&context))
}

impl<'a> Program<'a> {
    /// Loads `name` on the target's map.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn load(name: &str, form: Form, target: Target<'a>) -> Result<Self, Denied> {
        let elements = target.elements()?;
        let (key_size, map) = (elements.key_size(), target.map);
        let gated = u32::from(target.gated);
        let loaded = load(object(COLLECTORS, name)?, |section, open| {
            match section {
                "entries" => open.reuse_fd(map)?,
                "control" => open.reuse_fd(target.control_map)?,
                ".rodata" => {
                    let data = open.initial_value_mut().context("there is no config to set")?;
                    data[..4].copy_from_slice(&gated.to_ne_bytes());
                }
                _ => {}
            }
            Ok(())
        })?;
        let records = Shared::map(loaded.map("records")?)?;
        if elements.value_size() != VALUE_SIZE || key_size > MAX_KEY {
            return Err(
                anyhow::anyhow!("the map under test holds other keys or values than records do").into()
            );
        }
        let entry = loaded.program(form.entry())?.try_clone_to_owned().context("cannot keep a program")?;
        Ok(Self { loaded, entry, records, target, key_size, form })
    }

    /// What the program hears of the kernel when it works on the record of an absent key. It is not gated.
    ///
    /// # Errors
    /// When it cannot be run, or leaves the record out.
    pub fn answer_to_absent(&self) -> Result<Result<(), Errno>> {
        let mut call = self.context(0);
        call.key[..self.key_size].fill(0xff);
        let call = run(self.loaded.program("single")?, &call)?;
        ensure!(Fate::of(call.fate).is_some(), "the collector left its record out");
        Ok(if call.err == 0 { Ok(()) } else { Err(Errno(-i32::from(call.err))) })
    }

    /// Calls the program as its form has it.
    fn call(&self, call: &Call) -> Result<Call> {
        run(self.entry.as_fd(), call).with_context(|| format!("in `{}` of the collector", self.form.entry()))
    }

    fn context(&self, now: u32) -> Call {
        let map_fd = self.target.map.as_raw_fd();
        Call { now, map_fd, key_size: u32::try_from(self.key_size).unwrap_or(0), ..Call::default() }
    }

    fn claim(&self, i: usize, claims: &mut dyn Claims) -> Result<()> {
        let record = self.records.0.get(i).context("there are not so many records")?;
        let mut key = [0; MAX_KEY];
        for (bytes, shared) in key.chunks_exact_mut(8).zip(&record.key[..self.key_size.div_ceil(8)]) {
            bytes.copy_from_slice(&shared.load(Relaxed).to_ne_bytes());
        }
        let errno = -i32::from(record.err.load(Relaxed).cast_signed());
        told(claims, &key[..self.key_size], record.lifetime.load(Relaxed), record.fate.load(Relaxed), errno)
    }
}

impl Remove for Program<'_> {
    fn remove(&mut self, expired: &[Expired<'_>], now: u32, claims: &mut dyn Claims) -> Result<()> {
        if self.form == Form::Single {
            for entry in expired {
                let lifetime = lifetime_of(entry.value);
                let mut call = self.context(now);
                call.key[..self.key_size].copy_from_slice(entry.key);
                call.lifetime = lifetime;
                let call = self.call(&call)?;
                told(claims, entry.key, lifetime, call.fate, -i32::from(call.err))?;
            }
            return Ok(());
        }
        for chunk in expired.chunks(MAX_RECORDS) {
            for (record, entry) in self.records.0.iter().zip(chunk) {
                for (shared, bytes) in record.key.iter().zip(entry.key.chunks(8)) {
                    let mut word = [0; 8];
                    word[..bytes.len()].copy_from_slice(bytes);
                    shared.store(u64::from_ne_bytes(word), Relaxed);
                }
                record.lifetime.store(lifetime_of(entry.value), Relaxed);
                record.fate.store(0, Relaxed);
                record.err.store(0, Relaxed);
            }
            let count = u32::try_from(chunk.len()).unwrap_or(0);
            self.call(&Call { count, ..self.context(now) })?;
            for i in 0..chunk.len() {
                self.claim(i, claims)?;
            }
        }
        Ok(())
    }
}

impl Walk for Program<'_> {
    fn walk(&mut self, now: u32, claims: &mut dyn Claims) -> Result<()> {
        let call = self.call(&self.context(now))?;
        for i in 0..call.count as usize {
            self.claim(i, claims)?;
        }
        Ok(())
    }
}

fn told(claims: &mut dyn Claims, key: &[u8], lifetime: u32, fate: u16, errno: i32) -> Result<()> {
    let fate = Fate::of(fate).context("the collector left a record out")?;
    claims.claim(key, lifetime, fate);
    if fate == Fate::Error {
        claims.error(Errno(errno));
    }
    Ok(())
}

/// Bytes of `struct call`.
const CALL: usize = 64;

/// As `struct call`.
#[derive(Clone, Copy)]
struct Call {
    key: [u8; MAX_KEY],
    lifetime: u32,
    fate: u16,
    err: i16,
    count: u32,
    now: u32,
    map_fd: i32,
    key_size: u32,
}

impl Default for Call {
    fn default() -> Self {
        Self { key: [0; MAX_KEY], lifetime: 0, fate: 0, err: 0, count: 0, now: 0, map_fd: 0, key_size: 0 }
    }
}

impl Call {
    fn bytes(&self) -> [u8; CALL] {
        let mut bytes = [0; CALL];
        bytes[..MAX_KEY].copy_from_slice(&self.key);
        bytes[40..44].copy_from_slice(&self.lifetime.to_ne_bytes());
        bytes[44..46].copy_from_slice(&self.fate.to_ne_bytes());
        bytes[46..48].copy_from_slice(&self.err.to_ne_bytes());
        bytes[48..52].copy_from_slice(&self.count.to_ne_bytes());
        bytes[52..56].copy_from_slice(&self.now.to_ne_bytes());
        bytes[56..60].copy_from_slice(&self.map_fd.to_ne_bytes());
        bytes[60..].copy_from_slice(&self.key_size.to_ne_bytes());
        bytes
    }

    /// What a program writes back.
    fn of(bytes: &[u8; CALL]) -> Self {
        let at = |i: usize| bytes[i];
        Self {
            fate: u16::from_ne_bytes([at(44), at(45)]),
            err: i16::from_ne_bytes([at(46), at(47)]),
            count: u32::from_ne_bytes([at(48), at(49), at(50), at(51)]),
            ..Self::default()
        }
    }
}
