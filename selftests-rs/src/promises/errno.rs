// SPDX-License-Identifier: MIT OR Apache-2.0
//! Each refusal has one documented error number, and leaves the entry, and its neighbours, as they were.

use std::fs::File;
use std::os::fd::{AsFd, AsRawFd};

use anyhow::Result;
use cmpdel_uapi::bindings as abi;
use cmpdel_uapi_raw::{Ptr, Single, WHOLE_ATTR};

use crate::errno::{E2BIG, EBADF, EEXIST, EFAULT, EINVAL, ENOENT};
use crate::fixture::Expect::{self, Deleted, Differs, Kept};
use crate::fixture::{Scratch, TARGET, kinds};
use crate::series::Series;
use crate::verdict::{On, Tally, Test, Verdict};
use crate::{Context, Kernel};

/// Not a multiple of 8, so that a value is shorter than the slot it lies in.
const VALUE_SIZE: u32 = 20;
/// The window that a row starts from, equal to what the value holds there.
const OFFSET: u32 = 8;
const SIZE: usize = 4;

const COMPARE: u64 = abi::BPF_F_COMPARE as u64;

/// One row of the contract: what is spoilt in a compare-and-delete whose window is equal, and the answers.
struct Row {
    promise: &'static str,
    spoil: for<'a> fn(Single<'a>) -> Single<'a>,
    v3: Expect,
    rfc: Expect,
    base: Expect,
    /// An update does the same.
    of_an_update: bool,
}

impl Row {
    /// The series `rfc` says something else.
    const fn rfc(self, rfc: Expect) -> Self {
        Self { rfc, ..self }
    }

    /// It is of no meaning for an update.
    const fn delete_alone(self) -> Self {
        Self { of_an_update: false, ..self }
    }

    fn expect(&self, kernel: Kernel) -> Expect {
        match kernel {
            Kernel::Base => self.base,
            Kernel::Series if Series::of_this_kernel() == Series::Rfc => self.rfc,
            Kernel::Series => self.v3,
        }
    }
}

/// A row that a kernel without the series refuses, as it refuses the flag.
const fn row(promise: &'static str, series: Expect, spoil: for<'a> fn(Single<'a>) -> Single<'a>) -> Row {
    Row { promise, spoil, v3: series, rfc: series, base: Kept(EINVAL), of_an_update: true }
}

/// A row on which all kernels agree.
const fn both(promise: &'static str, expect: Expect, spoil: for<'a> fn(Single<'a>) -> Single<'a>) -> Row {
    Row { promise, spoil, v3: expect, rfc: expect, base: expect, of_an_update: true }
}

const ABSENT: Ptr<'_> = Ptr::Bytes(&[0xee; 4]);
const OTHER: Ptr<'_> = Ptr::Bytes(&[0; SIZE]);

const ROWS: &[Row] = &[
    // What the operation is for.
    row("a_match_deletes_the_entry", Deleted, |d| d),
    row("a_mismatch_keeps_the_entry_and_says_so", Differs, |d| Single { compare: OTHER, ..d }),
    row("an_absent_key_says_enoent", Kept(ENOENT), |d| Single { key: ABSENT, ..d }),
    // The window.
    row("an_empty_window_says_einval", Kept(EINVAL), |d| Single { compare_size: 0, ..d }),
    row("an_empty_window_without_a_pointer_says_einval", Kept(EINVAL), |d| Single {
        compare: Ptr::Null,
        compare_offset: 0,
        compare_size: 0,
        ..d
    }),
    row("a_window_past_the_value_says_einval", Kept(EINVAL), |d| Single {
        compare_offset: VALUE_SIZE - 3,
        ..d
    }),
    row("a_window_past_the_slot_says_einval", Kept(EINVAL), |d| Single { compare_offset: 22, ..d }),
    row("a_window_that_starts_at_the_end_says_einval", Kept(EINVAL), |d| Single {
        compare_offset: VALUE_SIZE,
        compare_size: 1,
        ..d
    }),
    row("a_window_larger_than_the_value_says_einval", Kept(EINVAL), |d| Single {
        compare_offset: 0,
        compare_size: VALUE_SIZE + 1,
        ..d
    }),
    row("an_offset_of_u32_max_says_einval", Kept(EINVAL), |d| Single {
        compare_offset: u32::MAX,
        compare_size: 1,
        ..d
    }),
    row("a_window_that_wraps_to_its_own_start_says_einval", Kept(EINVAL), |d| Single {
        compare_offset: u32::MAX - 3,
        compare_size: 12,
        ..d
    }),
    row("a_window_that_wraps_to_zero_says_e2big", Kept(E2BIG), |d| Single {
        compare_offset: 1,
        compare_size: u32::MAX,
        ..d
    })
    .rfc(Kept(EINVAL)),
    row("a_size_of_u32_max_says_e2big", Kept(E2BIG), |d| Single {
        compare_offset: 0,
        compare_size: u32::MAX,
        ..d
    })
    .rfc(Kept(EINVAL)),
    row("a_window_that_is_too_long_is_found_before_one_past_the_value", Kept(E2BIG), |d| Single {
        compare_offset: VALUE_SIZE,
        compare_size: 65,
        ..d
    })
    .rfc(Kept(EINVAL)),
    // Fields that do not belong together. A dropped flag must not turn into an unconditional delete.
    both("compare_fields_without_the_flag_say_einval", Kept(EINVAL), |d| Single { flags: 0, ..d }),
    both("a_compare_pointer_without_the_flag_says_einval", Kept(EINVAL), |d| Single {
        flags: 0,
        compare_offset: 0,
        compare_size: 0,
        ..d
    }),
    both("a_compare_offset_without_the_flag_says_einval", Kept(EINVAL), |d| Single {
        flags: 0,
        compare: Ptr::Null,
        compare_size: 0,
        ..d
    }),
    both("a_compare_size_without_the_flag_says_einval", Kept(EINVAL), |d| Single {
        flags: 0,
        compare: Ptr::Null,
        compare_offset: 0,
        ..d
    }),
    both("a_value_pointer_says_einval", Kept(EINVAL), |d| Single { value: Ptr::Unmapped, ..d })
        .delete_alone(),
    both("a_value_pointer_without_the_flag_says_einval", Kept(EINVAL), |d| Single {
        value: Ptr::Unmapped,
        ..unconditional(d)
    })
    .delete_alone(),
    // Memory that cannot be read.
    row("a_null_key_says_efault", Kept(EFAULT), |d| Single { key: Ptr::Null, ..d }),
    row("an_unmapped_key_says_efault", Kept(EFAULT), |d| Single { key: Ptr::Unmapped, ..d }),
    row("a_kernel_address_as_key_says_efault", Kept(EFAULT), |d| Single { key: Ptr::Kernel, ..d }),
    row("a_key_cut_short_says_efault", Kept(EFAULT), |d| Single { key: Ptr::Bytes(&[0; 3]), ..d }),
    row("null_expected_bytes_say_efault", Kept(EFAULT), |d| Single { compare: Ptr::Null, ..d }),
    row("unmapped_expected_bytes_say_efault", Kept(EFAULT), |d| Single { compare: Ptr::Unmapped, ..d }),
    row("a_kernel_address_as_expected_bytes_says_efault", Kept(EFAULT), |d| Single {
        compare: Ptr::Kernel,
        ..d
    }),
    row("expected_bytes_cut_short_say_efault", Kept(EFAULT), |d| Single {
        compare: Ptr::Bytes(&[0; SIZE - 1]),
        ..d
    }),
    // The map.
    row("a_closed_fd_says_ebadf", Kept(EBADF), |d| Single { fd: -1, ..d }),
    // Order: what the attribute is before the fd; the window before the pointers; the pointers before the look-up.
    row("a_closed_fd_is_found_before_an_empty_window", Kept(EBADF), |d| Single {
        fd: -1,
        compare_size: 0,
        ..d
    })
    .rfc(Kept(EINVAL)),
    both("an_unknown_flag_is_found_before_a_closed_fd", Kept(EINVAL), |d| Single {
        fd: -1,
        flags: COMPARE | 64,
        ..d
    }),
    both("a_value_pointer_is_found_before_a_closed_fd", Kept(EINVAL), |d| Single {
        fd: -1,
        value: Ptr::Unmapped,
        ..d
    })
    .delete_alone(),
    both("fields_without_the_flag_are_found_before_a_closed_fd", Kept(EINVAL), |d| Single {
        fd: -1,
        flags: 0,
        ..d
    }),
    row("a_bad_window_is_found_before_bad_pointers", Kept(EINVAL), |d| Single {
        key: Ptr::Null,
        compare: Ptr::Null,
        compare_offset: VALUE_SIZE,
        ..d
    }),
    row("a_bad_window_is_found_before_an_absent_key", Kept(EINVAL), |d| Single {
        key: ABSENT,
        compare_offset: VALUE_SIZE,
        ..d
    }),
    row("bad_expected_bytes_are_found_before_an_absent_key", Kept(EFAULT), |d| Single {
        key: ABSENT,
        compare: Ptr::Unmapped,
        ..d
    }),
    // The delete that everybody has used so far.
    both("a_plain_delete_still_deletes", Deleted, unconditional).delete_alone(),
    both("a_plain_delete_of_an_absent_key_still_says_enoent", Kept(ENOENT), |d| Single {
        key: ABSENT,
        ..unconditional(d)
    })
    .delete_alone(),
    both("a_plain_delete_with_a_null_key_still_says_efault", Kept(EFAULT), |d| Single {
        key: Ptr::Null,
        ..unconditional(d)
    })
    .delete_alone(),
    both("a_plain_delete_with_a_closed_fd_still_says_ebadf", Kept(EBADF), |d| Single {
        fd: -1,
        ..unconditional(d)
    })
    .delete_alone(),
];

fn unconditional(delete: Single<'_>) -> Single<'_> {
    Single { flags: 0, compare: Ptr::Null, compare_offset: 0, compare_size: 0, ..delete }
}

pub fn tests() -> Vec<Test> {
    let mut tests: Vec<_> = ROWS
        .iter()
        .map(|row| Test::new(format!("errno::{}", row.promise), On::Both, |context| run_row(row, context)))
        .collect();
    tests.extend([
        Test::new("errno::no_other_flag_is_taken", On::Both, no_other_flag),
        Test::new("errno::nothing_is_taken_after_the_last_field", On::Both, nothing_after_the_last_field),
        Test::new("errno::a_file_that_is_no_map_says_einval", On::Both, no_map),
        Test::new("errno::an_update_is_refused_as_a_delete_is", On::Both, updates),
        Test::new("errno::an_update_takes_the_flag_alone", On::Both, updates_with_other_flags),
    ]);
    tests
}

/// Runs `case` on a scratch map of each kind, with a compare-and-delete whose window is equal.
fn on_each_map(
    context: &Context,
    mut case: impl FnMut(&Scratch, Single<'_>, &str) -> Result<()>,
) -> Result<()> {
    for kind in kinds(context.kernel) {
        let (name, scratch) = (kind.name, Scratch::new(kind.shape(VALUE_SIZE))?);
        let (key, value) = (scratch.key(TARGET), scratch.value(TARGET));
        let expected = &value[OFFSET as usize..OFFSET as usize + SIZE];
        case(&scratch, Single::compare(scratch.raw_fd(), key, OFFSET, expected), name)?;
    }
    Ok(())
}

fn run_row(row: &Row, context: &Context) -> Result<Verdict> {
    let expect = row.expect(context.kernel);
    let mut tally = Tally::default();
    on_each_map(context, |scratch, delete, name| {
        tally.case(name, scratch.try_call(&(row.spoil)(delete), expect)?);
        Ok(())
    })?;
    Ok(tally.verdict())
}

fn no_other_flag(context: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    on_each_map(context, |scratch, delete, name| {
        for bit in (0..64).map(|i| 1_u64 << i).filter(|&bit| bit != COMPARE) {
            let alone = Single { flags: bit, ..unconditional(delete) };
            tally.case(format_args!("{name}, flags {bit:#x}"), scratch.try_call(&alone, Kept(EINVAL))?);
            let beside = Single { flags: bit | COMPARE, ..delete };
            let flags = beside.flags;
            tally.case(format_args!("{name}, flags {flags:#x}"), scratch.try_call(&beside, Kept(EINVAL))?);
        }
        Ok(())
    })?;
    Ok(tally.verdict())
}

fn nothing_after_the_last_field(context: &Context) -> Result<Verdict> {
    const PAGE: usize = 4096;
    let whole = WHOLE_ATTR as usize;
    let mut tally = Tally::default();
    on_each_map(context, |scratch, delete, name| {
        for at in (48..whole).chain(whole..whole + 16).chain([PAGE - 1]) {
            let errno = if at < whole { EINVAL } else { E2BIG };
            let update = delete.updating(scratch.replacement());
            for (kind, call) in [
                ("compare", delete),
                ("plain", unconditional(delete)),
                ("compare and update", update),
                ("plain update", unconditional(update)),
            ] {
                let call = Single { trailing: Some((at, 1)), ..call };
                let problem = scratch.try_sized(&call, 4096, Kept(errno))?;
                tally.case(format_args!("{name}, {kind}, byte {at}"), problem);
            }
        }
        Ok(())
    })?;
    Ok(tally.verdict())
}

fn no_map(context: &Context) -> Result<Verdict> {
    let file = File::open("/dev/null")?;
    let mut tally = Tally::default();
    on_each_map(context, |scratch, delete, name| {
        let delete = Single { fd: file.as_fd().as_raw_fd(), ..delete };
        tally.case(name, scratch.try_call(&delete, Kept(EINVAL))?);
        Ok(())
    })?;
    Ok(tally.verdict())
}

fn updates(context: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    for row in ROWS.iter().filter(|row| row.of_an_update) {
        let expect = row.expect(context.kernel).of_an_update(context.kernel);
        on_each_map(context, |scratch, delete, name| {
            let update = (row.spoil)(delete).updating(scratch.replacement());
            tally.case(format_args!("{name}, {}", row.promise), scratch.try_call(&update, expect)?);
            Ok(())
        })?;
    }
    Ok(tally.verdict())
}

/// Beside the flag, `BPF_NOEXIST`, `BPF_EXIST` and the like have no meaning. Without it, an update goes on as ever.
fn updates_with_other_flags(context: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    on_each_map(context, |scratch, delete, name| {
        let update = delete.updating(scratch.replacement());
        for bit in (0..64).map(|i| 1_u64 << i).filter(|&bit| bit != COMPARE) {
            for (what, call) in [
                ("the flag beside", Single { flags: bit | COMPARE, ..update }),
                ("and no flag, but its fields", Single { flags: bit, ..update }),
                ("the flag beside, and no fields", Single { flags: bit | COMPARE, ..unconditional(update) }),
            ] {
                let problem = scratch.try_call(&call, Kept(EINVAL))?;
                tally.case(format_args!("{name}, flag {bit:#x}, {what}"), problem);
            }
        }
        let any = unconditional(update);
        for (flags, expect) in [
            (abi::BPF_ANY, Expect::Replaced),
            (abi::BPF_EXIST, Expect::Replaced),
            (abi::BPF_NOEXIST, Kept(EEXIST)),
        ] {
            let call = Single { flags: flags.into(), ..any };
            tally.case(format_args!("{name}, plain, flags {flags}"), scratch.try_call(&call, expect)?);
        }
        Ok(())
    })?;
    Ok(tally.verdict())
}
