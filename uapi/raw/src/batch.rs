// SPDX-License-Identifier: MIT OR Apache-2.0
//! Deleting or updating many entries, with every field as given.

use std::mem::offset_of;
use std::ops::Range;

use cmpdel_uapi::bindings::{self as abi, bpf_attr};

use crate::attr::Attr;
use crate::{Command, Errno, Ptr};

/// Where the fields of a comparison are: behind `flags` of the batch.
pub(crate) const COMPARE: usize = offset_of!(bpf_attr, batch.flags) + 8;
pub(crate) const STATUSES: usize = COMPARE + 8;
pub(crate) const COMPARE_OFFSET: usize = STATUSES + 8;
pub(crate) const COMPARE_SIZE: usize = COMPARE_OFFSET + 4;
pub(crate) const COMPARE_STRIDE: usize = COMPARE_SIZE + 4;

/// Bytes of the attribute up to the last field of a batch that compares.
#[allow(clippy::cast_possible_truncation)]
pub const COMPARE_BATCH_ATTR_SIZE: u32 = COMPARE_STRIDE as u32 + 4;

/// The fields of `BPF_MAP_DELETE_BATCH` and `BPF_MAP_UPDATE_BATCH`.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// Which of the two.
    pub command: Command,
    /// The map's fd, or any number.
    pub fd: i32,
    /// The keys, one after the other.
    pub keys: Ptr<'a>,
    /// The new values, one after the other; a batch of deletes takes none.
    pub values: Ptr<'a>,
    /// The expected bytes, those of the first element first.
    pub compare: Ptr<'a>,
    /// Where the kernel writes the statuses, and what is there before.
    pub statuses: Ptr<'a>,
    /// How many keys.
    pub count: u32,
    /// Flags of each element.
    pub elem_flags: u64,
    /// Flags of the batch.
    pub flags: u64,
    /// Two pointers that these commands do not take: numbers, followed by no kernel.
    pub in_batch: u64,
    /// The other one.
    pub out_batch: u64,
    /// First byte of the window in each value.
    pub compare_offset: u32,
    /// Bytes in the window.
    pub compare_size: u32,
    /// From the expected bytes of an element to those of the next.
    pub compare_stride: u32,
    /// One byte set on top of all the rest, at its offset into the attribute. It is left out where it would lie in a
    /// field, since the kernel writes to the address in one of them.
    pub trailing: Option<(usize, u8)>,
}

impl<'a> Batch<'a> {
    /// A batch of proper compare-and-deletes, to be spoilt in the field under test. Its statuses are all
    /// [`UNTOUCHED_STATUS`] before the call; there is room for [`MAX_STATUSES`] of them.
    #[must_use]
    pub fn compare(
        fd: i32,
        keys: &'a [u8],
        count: u32,
        window: Range<u32>,
        expected: &'a [u8],
        stride: u32,
    ) -> Self {
        Self {
            compare: Ptr::Bytes(expected),
            statuses: Ptr::Bytes(&UNTOUCHED[..UNTOUCHED.len().min(count as usize * 4)]),
            elem_flags: abi::BPF_F_COMPARE.into(),
            compare_offset: window.start,
            compare_size: window.end.wrapping_sub(window.start),
            compare_stride: stride,
            ..Self::plain(fd, keys, count)
        }
    }

    /// A batch of deletes without a condition.
    #[must_use]
    pub fn plain(fd: i32, keys: &'a [u8], count: u32) -> Self {
        Self {
            command: Command::Delete,
            fd,
            keys: Ptr::Bytes(keys),
            values: Ptr::Null,
            compare: Ptr::Null,
            statuses: Ptr::Null,
            count,
            elem_flags: 0,
            flags: 0,
            in_batch: 0,
            out_batch: 0,
            compare_offset: 0,
            compare_size: 0,
            compare_stride: 0,
            trailing: None,
        }
    }

    /// The same as a batch of updates to `values`.
    #[must_use]
    pub fn updating(self, values: &'a [u8]) -> Self {
        Self { command: Command::Update, values: Ptr::Bytes(values), ..self }
    }

    /// Sends it, the kernel being told of `attr_size` bytes.
    #[must_use]
    pub fn send(&self, attr_size: u32) -> BatchAnswer {
        let placed = [self.keys, self.values, self.compare, self.statuses].map(Ptr::place);
        let [Ok(keys), Ok(values), Ok(compare), Ok(statuses)] = placed else {
            return BatchAnswer { answer: Err(Errno(libc::ENOMEM)), count: self.count, statuses: Vec::new() };
        };
        let count = offset_of!(bpf_attr, batch.count);
        let mut attr = Attr::new(attr_size);
        attr.u64(offset_of!(bpf_attr, batch.in_batch), self.in_batch);
        attr.u64(offset_of!(bpf_attr, batch.out_batch), self.out_batch);
        attr.u64(offset_of!(bpf_attr, batch.keys), keys.address);
        attr.u64(offset_of!(bpf_attr, batch.values), values.address);
        attr.u32(count, self.count);
        attr.i32(offset_of!(bpf_attr, batch.map_fd), self.fd);
        attr.u64(offset_of!(bpf_attr, batch.elem_flags), self.elem_flags);
        attr.u64(offset_of!(bpf_attr, batch.flags), self.flags);
        attr.u64(COMPARE, compare.address);
        attr.u64(STATUSES, statuses.address);
        attr.u32(COMPARE_OFFSET, self.compare_offset);
        attr.u32(COMPARE_SIZE, self.compare_size);
        attr.u32(COMPARE_STRIDE, self.compare_stride);
        if let Some((offset, byte)) = self.trailing.filter(|&(at, _)| at >= COMPARE_BATCH_ATTR_SIZE as usize)
        {
            attr.byte(offset, byte);
        }
        let command = match self.command {
            Command::Delete => abi::BPF_MAP_DELETE_BATCH,
            Command::Update => abi::BPF_MAP_UPDATE_BATCH,
        };
        // SAFETY: writes `count` back into the attribute, and statuses up to the guard page behind them, to pages that are
        // ours alone. An attribute too short for the whole address of the statuses is too short for the size of the window,
        // and without one nothing is written. What it reads ends at a guard page or is not readable at all.
        let answer = unsafe { attr.send(command) };
        let written = statuses.contents();
        let statuses = written.as_chunks().0.iter().map(|&status| i32::from_ne_bytes(status)).collect();
        BatchAnswer { answer: answer.map(drop), count: attr.read_u32(count), statuses }
    }
}

/// No errno: a status that the kernel did not write.
pub const UNTOUCHED_STATUS: i32 = i32::from_ne_bytes([0x55; 4]);
/// As many statuses [`Batch::compare`] has room for.
pub const MAX_STATUSES: usize = 3072;
static UNTOUCHED: [u8; MAX_STATUSES * 4] = [0x55; MAX_STATUSES * 4];

/// What the kernel made of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchAnswer {
    /// Success or errno.
    pub answer: Result<(), Errno>,
    /// `count` as the kernel left it.
    pub count: u32,
    /// The statuses as the kernel left them, as many as there was room for.
    pub statuses: Vec<i32>,
}
