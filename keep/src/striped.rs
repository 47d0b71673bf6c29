// SPDX-License-Identifier: MIT OR Apache-2.0
//! A collector in the kernel (`include/keep/collector.h`): it walks the map in one call, and deletes under stripes.

mod sum;

use std::fs;
use std::mem::{offset_of, size_of};
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};
use std::sync::OnceLock;

use cmpdel_uapi::{Map, MapInfo, map_type_name};
use libbpf_rs::{MapCore as _, MapFlags, Object, ObjectBuilder, OpenMapMut, ProgramInput};

use crate::call::{self, keep_call, keep_config, keep_record};
use crate::plan::{Going, Plan, Tell};
use crate::users::Users;
use crate::{Error, Field, Outcome, Round, table};

use sum::Sum;

/// The collector without a condition of its own.
const OBJECT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/collector.o"));

/// Records at most, for one call.
const ROOM: u32 = 1 << 16;
/// Records that are copied out at once.
const CHUNK: u32 = 4096;
/// Calls in a row that deleted nothing and had no room for more.
const PATIENCE: u32 = 3;
/// tc programs are run on a frame.
const FRAME: [u8; 64] = [0; 64];

pub struct Striped<'a> {
    object: Object,
    walk: &'static str,
    listed: &'static str,
    field: Field,
    key_size: usize,
    room: u32,
    users: Users,
    /// A walk of rhash ends where it deletes, since the key that it would go on from is gone: it looks first.
    looks_first: bool,
    going: Going<'a>,
}

impl<'a> Striped<'a> {
    pub fn open(plan: Plan<'a>, info: &MapInfo) -> Result<Self, Error> {
        if info.key_size > call::KEEP_MAX_KEY {
            return Err(Error::KeySize(info.key_size));
        }
        let stripes = plan.stripes.ok_or(Error::NotStripes("none was given"))?;
        let table = table::open(stripes)?;
        if plan.object.is_none() && table.hash != table::HASH {
            return Err(Error::NotStripes(
                "its programs have a hash of their own: give an object with that hash",
            ));
        }
        may_write(plan.map)?;
        let (map, stripes_id) = (info.id, Map::new(stripes)?.info().id);
        let users = Users { map, stripes: stripes_id, readers: plan.readers.to_vec() };
        users.check()?;
        let quiet = can_turn_interrupts_off();
        let (walk, listed) =
            if quiet { ("keep_walk", "keep_listed") } else { ("keep_walk_tc", "keep_listed_tc") };
        let room = info.max_entries.clamp(1, ROOM);
        let load = |error: libbpf_rs::Error| match error.kind() {
            libbpf_rs::ErrorKind::PermissionDenied => Error::Map(cmpdel_uapi::Error::Permission),
            _ => Error::Load(format!("{error:#}")),
        };

        let mut builder = ObjectBuilder::default();
        let mut open = builder.open_memory(plan.object.unwrap_or(OBJECT)).map_err(load)?;
        for mut map in open.maps_mut() {
            let name = map.name().to_string_lossy().into_owned();
            match name.as_str() {
                "entries" => map.reuse_fd(plan.map).map_err(load)?,
                "keep_stripes" => map.reuse_fd(stripes).map_err(load)?,
                "keep_records" => map.set_max_entries(room).map_err(load)?,
                ".rodata.keep" => set_constants(&mut map, plan.field, info, table)?,
                _ => {}
            }
        }
        for mut candidate in open.progs_mut() {
            let wanted = candidate.name() == walk || candidate.name() == listed;
            candidate.set_autoload(wanted);
        }
        let object = open.load().map_err(load)?;
        let looks_first = map_type_name(info.map_type) == "rhash";
        let key_size = info.key_size as usize;
        let Plan { field, going, .. } = plan;
        let this = Self { object, walk, listed, field, key_size, room, users, looks_first, going };
        // An object that pins its stripes would have been given the pinned ones. (What is given goes by its own name.)
        let used: Vec<_> = this.object.maps().filter_map(|map| Some(map.info().ok()?.info.id)).collect();
        if !used.contains(&map) || !used.contains(&stripes_id) {
            return Err(Error::Load(
                "it takes another map or other stripes than those that were given".into(),
            ));
        }
        Ok(this)
    }

    pub fn round(&mut self, threshold: i128, dry: bool, tell: Option<Tell<'_>>) -> Result<Round, Error> {
        let mut sum = Sum::default();
        let ended = if self.looks_first && !dry {
            self.look_and_delete(threshold, tell, &mut sum)
        } else {
            self.walk(threshold, dry, tell, &mut sum)
        };
        sum.end(ended)
    }

    /// Walks and deletes, again where there was no room to tell of all.
    fn walk(
        &mut self,
        threshold: i128,
        dry: bool,
        mut tell: Option<Tell<'_>>,
        sum: &mut Sum,
    ) -> Result<(), Error> {
        let mut fruitless = 0;
        while !self.going.is_over() {
            self.users.check()?;
            let mut call = self.threshold(threshold);
            put(&mut call, offset_of!(keep_call, dry), &u32::from(dry).to_ne_bytes());
            put(&mut call, offset_of!(keep_call, listing), &u32::from(tell.is_some()).to_ne_bytes());
            let call = self.call(self.walk, &call)?;
            sum.round.looked_at += u64_at(&call, offset_of!(keep_call, looked_at));
            sum.round.expired += u64_at(&call, offset_of!(keep_call, expired));
            let deleted = sum.add(&call);
            if let Some(tell) = &mut tell {
                self.tell(u32_at(&call, offset_of!(keep_call, count)), *tell)?;
            }
            if u32_at(&call, offset_of!(keep_call, full)) == 0 {
                return Ok(());
            }
            if dry {
                return Err(Error::Run(format!(
                    "a dry run tells of {} entries at most: count them instead",
                    self.room
                )));
            }
            fruitless = if deleted == 0 { fruitless + 1 } else { 0 };
            if fruitless == PATIENCE {
                return Err(Error::Stuck(sum.round));
            }
        }
        Ok(())
    }

    /// Lists what has expired, deletes what was listed, and again until nothing more is listed or nothing more goes.
    fn look_and_delete(
        &mut self,
        threshold: i128,
        mut tell: Option<Tell<'_>>,
        sum: &mut Sum,
    ) -> Result<(), Error> {
        while !self.going.is_over() {
            let mut call = self.threshold(threshold);
            put(&mut call, offset_of!(keep_call, dry), &1_u32.to_ne_bytes());
            put(&mut call, offset_of!(keep_call, listing), &1_u32.to_ne_bytes());
            let call = self.call(self.walk, &call)?;
            let mut keys = Vec::new();
            let listed = u32_at(&call, offset_of!(keep_call, count));
            self.tell(listed, &mut |key, _| keys.extend_from_slice(key))?;
            let full = u32_at(&call, offset_of!(keep_call, full)) != 0;
            sum.round.looked_at += u64_at(&call, offset_of!(keep_call, looked_at));
            sum.round.expired += u64::from(listed);
            let before = sum.round.deleted;
            let mut nobody = |_: &[u8], _: Outcome| {};
            self.delete_listed(threshold, &keys, tell.as_deref_mut().unwrap_or(&mut nobody), sum)?;
            if !full {
                return Ok(());
            }
            if sum.round.deleted == before && !self.going.is_over() {
                return Err(Error::Stuck(sum.round));
            }
        }
        Ok(())
    }

    /// `keys` lie one behind the other.
    pub fn listed(&mut self, threshold: i128, keys: &[u8], tell: Tell<'_>) -> Result<Round, Error> {
        let mut sum = Sum::default();
        let mut told = 0;
        let mut count = |key: &[u8], outcome: Outcome| {
            told += 1;
            tell(key, outcome);
        };
        let ended = self.delete_listed(threshold, keys, &mut count, &mut sum);
        sum.round.looked_at = told;
        sum.round.expired = sum.round.deleted;
        sum.end(ended)
    }

    fn delete_listed(
        &mut self,
        threshold: i128,
        keys: &[u8],
        tell: Tell<'_>,
        sum: &mut Sum,
    ) -> Result<(), Error> {
        self.users.check()?;
        for keys in keys.chunks(self.key_size * self.room as usize) {
            if self.going.is_over() {
                break;
            }
            let mut records = Vec::new();
            for key in keys.chunks_exact(self.key_size) {
                let mut record = [0; size_of::<keep_record>()];
                put(&mut record, offset_of!(keep_record, key), key);
                records.extend(record);
            }
            let count = u32::try_from(keys.len() / self.key_size).unwrap_or(self.room);
            let numbers: Vec<_> = (0..count).flat_map(u32::to_ne_bytes).collect();
            self.map("keep_records")?
                .update_batch(&numbers, &records, count, MapFlags::ANY, MapFlags::ANY)
                .map_err(run_error)?;
            let mut call = self.threshold(threshold);
            put(&mut call, offset_of!(keep_call, count), &count.to_ne_bytes());
            let call = self.call(self.listed, &call)?;
            sum.add(&call);
            self.tell(count, tell)?;
        }
        Ok(())
    }

    /// A call with nothing in it but its threshold.
    fn threshold(&self, threshold: i128) -> [u8; size_of::<keep_call>()] {
        let mut call = [0; size_of::<keep_call>()];
        let (threshold, beyond) = match ordered(threshold, self.field) {
            Some(threshold) => (threshold, false),
            None => (u64::MAX, true),
        };
        put(&mut call, offset_of!(keep_call, threshold), &threshold.to_ne_bytes());
        put(&mut call, offset_of!(keep_call, beyond), &u32::from(beyond).to_ne_bytes());
        call
    }

    /// Runs a program once; what it was called with, and what it says.
    fn call(&mut self, name: &str, call: &[u8]) -> Result<Vec<u8>, Error> {
        let zero = 0_u32.to_ne_bytes();
        self.map("keep_calls")?.update(&zero, call, MapFlags::ANY).map_err(run_error)?;
        let program = self.object.progs_mut().find(|program| program.name() == name);
        let program = program.ok_or_else(|| Error::Run(format!("it has no program {name}")))?;
        let mut context = [0; 8];
        let mut input = ProgramInput::default();
        if name.ends_with("_tc") {
            input.data_in = Some(&FRAME);
        } else {
            input.context_in = Some(&mut context);
        }
        let answer = program.test_run(input).map_err(run_error)?.return_value;
        if answer != 0 {
            return Err(Error::Run(format!("it gave up with {answer}")));
        }
        let answer = self.map("keep_calls")?.lookup(&zero, MapFlags::ANY).map_err(run_error)?;
        answer.ok_or_else(|| Error::Run("it left no answer".into()))
    }

    /// Tells of the first `count` records.
    fn tell(&self, count: u32, tell: &mut dyn FnMut(&[u8], Outcome)) -> Result<(), Error> {
        let count = count.min(self.room);
        if count == 0 {
            return Ok(());
        }
        let records = self.map("keep_records")?;
        let listed =
            records.lookup_batch(count.min(CHUNK), MapFlags::ANY, MapFlags::ANY).map_err(run_error)?;
        let mut told = 0;
        for (_, record) in listed.take(count as usize) {
            told += 1;
            let outcome = match u32_at(&record, offset_of!(keep_record, fate)) {
                call::KEEP_NONE => Outcome::Expired,
                call::KEEP_DELETED => Outcome::Deleted,
                call::KEEP_KEPT => Outcome::Kept,
                call::KEEP_ABSENT => Outcome::Absent,
                call::KEEP_BUSY => Outcome::Busy,
                _ => Outcome::Failed,
            };
            tell(record.get(..self.key_size).unwrap_or_default(), outcome);
        }
        if told != count {
            return Err(Error::Run(format!(
                "of {count} entries that it dealt with, {told} could be told of"
            )));
        }
        Ok(())
    }

    /// A map of its object.
    pub fn map_fd(&self, name: &str) -> Option<OwnedFd> {
        self.map(name).ok()?.as_fd().try_clone_to_owned().ok()
    }

    fn map(&self, name: &str) -> Result<libbpf_rs::Map<'_>, Error> {
        let found = self.object.maps().find(|map| map.name() == name);
        found.ok_or_else(|| Error::Run(format!("its object has no map {name}")))
    }
}

/// Programs write to a map whatever the fd that they were given; whoever gave one that may not was not to delete.
fn may_write(map: BorrowedFd<'_>) -> Result<(), Error> {
    const ACCESS: u32 = 0o3;
    const READ_WRITE: u32 = 0o2;
    let path = format!("/proc/self/fdinfo/{}", map.as_raw_fd());
    let text = fs::read_to_string(&path).map_err(|error| Error::Run(format!("{path}: {error}")))?;
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let flags = field("flags:").and_then(|flags| u32::from_str_radix(flags, 8).ok());
    if flags.is_some_and(|flags| flags & ACCESS == READ_WRITE) && field("frozen:") != Some("1") {
        return Ok(());
    }
    Err(Error::Map(cmpdel_uapi::Error::Permission))
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to map_err")]
fn run_error(error: libbpf_rs::Error) -> Error {
    Error::Run(format!("{error:#}"))
}

/// Fills in the constants.
fn set_constants(
    map: &mut OpenMapMut<'_>,
    field: Field,
    info: &MapInfo,
    table: table::Table,
) -> Result<(), Error> {
    let config = map.initial_value_mut().filter(|config| config.len() == size_of::<keep_config>());
    let config =
        config.ok_or_else(|| Error::Load("it was compiled with other headers than this crate's".into()))?;
    for (at, number) in [
        (offset_of!(keep_config, key_size), info.key_size),
        (offset_of!(keep_config, field_offset), field.offset),
        (offset_of!(keep_config, field_size), field.size),
        (offset_of!(keep_config, field_swapped), field.is_swapped().into()),
        (offset_of!(keep_config, field_signed), field.signed.into()),
        (offset_of!(keep_config, stripes), table.count),
    ] {
        put(config, at, &number.to_ne_bytes());
    }
    put(config, offset_of!(keep_config, seed), &table.seed.to_ne_bytes());
    Ok(())
}

/// The threshold as the program compares it: what is signed is moved up. `None` where every number of 64 bits is below it.
fn ordered(threshold: i128, field: Field) -> Option<u64> {
    let least = if field.signed { i128::from(i64::MIN) } else { 0 };
    u64::try_from(threshold.saturating_sub(least).max(0)).ok()
}

fn put(bytes: &mut [u8], at: usize, with: &[u8]) {
    if let Some(place) = bytes.get_mut(at..at + with.len()) {
        place.copy_from_slice(with);
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_ne_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_ne_bytes)
}

/// Whether the kernel has `bpf_local_irq_save`, which is in its BTF by name.
#[must_use]
pub fn can_turn_interrupts_off() -> bool {
    const NAME: &[u8] = b"\0bpf_local_irq_save\0";
    static KNOWN: OnceLock<bool> = OnceLock::new();
    *KNOWN.get_or_init(|| {
        fs::read("/sys/kernel/btf/vmlinux").is_ok_and(|btf| btf.windows(NAME.len()).any(|name| name == NAME))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_keep_their_order() {
        let signed = Field { signed: true, ..Field::unsigned(0, 4) };
        let numbers = [i128::MIN, -5, -1, 0, 1, i64::MAX.into()];
        assert!(numbers.windows(2).all(|pair| ordered(pair[0], signed) < ordered(pair[1], signed)));
        assert_eq!(ordered(0, signed), Some(1 << 63));
        assert_eq!(ordered(i64::MIN.into(), signed), Some(0));
        assert_eq!(ordered(i128::MAX, signed), None);
        assert_eq!(ordered(-1, Field::unsigned(0, 4)), Some(0));
        assert_eq!(ordered(u64::MAX.into(), Field::unsigned(0, 8)), Some(u64::MAX));
        assert_eq!(ordered(i128::from(u64::MAX) + 1, Field::unsigned(0, 8)), None);
    }
}
