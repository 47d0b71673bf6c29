// SPDX-License-Identifier: MIT OR Apache-2.0
//! An attribute as bytes, of any size, and the system call that takes it.

use std::ffi::c_long;

use cmpdel_uapi::bindings::{bpf_attr, bpf_cmd};

use crate::Errno;

/// Larger than every attribute a kernel takes (a page), so that no size given reaches beyond the buffer.
const MIN_WORDS: usize = 8192 / 8;

/// The size of `union bpf_attr`, which a well-behaved caller passes.
#[allow(clippy::cast_possible_truncation)]
pub const WHOLE_ATTR: u32 = size_of::<bpf_attr>() as u32;

/// Words of an attribute that is passed whole.
const WHOLE: usize = size_of::<bpf_attr>().div_ceil(8);

/// A zeroed attribute.
pub(crate) struct Attr {
    words: Words,
    size: u32,
}

/// Words, since the kernel wants an attribute aligned to 8 bytes. One that is passed whole costs no allocation: what a
/// collector does is measured.
enum Words {
    Whole([u64; WHOLE]),
    Long(Vec<u64>),
}

impl Words {
    fn all(&mut self) -> &mut [u64] {
        match self {
            Self::Whole(words) => words,
            Self::Long(words) => words,
        }
    }
}

impl Attr {
    /// One whose first `size` bytes the kernel is told of.
    pub(crate) fn new(size: u32) -> Self {
        Self { words: Words::Long(vec![0; MIN_WORDS.max((size as usize).div_ceil(8))]), size }
    }

    /// One of the size that a well-behaved caller passes.
    pub(crate) fn whole() -> Self {
        // The kernel writes nothing beyond the size that it is told.
        Self { words: Words::Whole([0; WHOLE]), size: WHOLE_ATTR }
    }

    /// Sets one byte; one that lies beyond the buffer is left out, as the kernel never sees it.
    pub(crate) fn byte(&mut self, offset: usize, byte: u8) {
        if let Some(word) = self.words.all().get_mut(offset / 8) {
            let mut bytes = word.to_ne_bytes();
            bytes[offset % 8] = byte;
            *word = u64::from_ne_bytes(bytes);
        }
    }

    pub(crate) fn bytes(&mut self, offset: usize, bytes: &[u8]) {
        for (i, &byte) in bytes.iter().enumerate() {
            self.byte(offset + i, byte);
        }
    }

    /// At a multiple of 4.
    pub(crate) fn u32(&mut self, offset: usize, value: u32) {
        if let Some(word) = self.words.all().get_mut(offset / 8) {
            let mut bytes = word.to_ne_bytes();
            let at = offset % 8 / 4 * 4;
            bytes[at..at + 4].copy_from_slice(&value.to_ne_bytes());
            *word = u64::from_ne_bytes(bytes);
        }
    }

    pub(crate) fn i32(&mut self, offset: usize, value: i32) {
        self.u32(offset, value.cast_unsigned());
    }

    /// At a multiple of 8.
    pub(crate) fn u64(&mut self, offset: usize, value: u64) {
        if let Some(word) = self.words.all().get_mut(offset / 8) {
            *word = value;
        }
    }

    /// The `u32` at a multiple of 4, as the kernel left it.
    pub(crate) fn read_u32(&mut self, offset: usize) -> u32 {
        let word = self.words.all().get(offset / 8).copied().unwrap_or_default().to_ne_bytes();
        let [a, b, c, d, e, f, g, h] = word;
        u32::from_ne_bytes(if offset.is_multiple_of(8) { [a, b, c, d] } else { [e, f, g, h] })
    }

    /// Asks the kernel.
    ///
    /// # Safety
    /// `command` writes to no address in the attribute, and reads from each no memory but one placed by
    /// [`crate::Ptr`] or owned by the caller in the length the kernel reads.
    pub(crate) unsafe fn send(&mut self, command: bpf_cmd) -> Result<c_long, Errno> {
        // SAFETY: the buffer is exclusively borrowed, at least `size` bytes long and longer than what any command here
        // writes back into its attribute; the addresses in it are the caller's promise.
        let answer =
            unsafe { libc::syscall(libc::SYS_bpf, command, self.words.all().as_mut_ptr(), self.size) };
        if answer < 0 { Err(Errno::last()) } else { Ok(answer) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_lie_where_they_were_put() {
        let mut attr = Attr::new(16);
        attr.u64(8, 0x0102_0304_0506_0708);
        attr.u32(28, 7);
        attr.byte(8191, 9);
        attr.byte(8192, 9);
        assert_eq!(attr.words.all()[1], 0x0102_0304_0506_0708);
        assert_eq!((attr.read_u32(24), attr.read_u32(28)), (0, 7));
        assert_eq!(attr.words.all()[1023].to_ne_bytes()[7], 9);
        assert_eq!(attr.words.all().len(), 1024);
    }
}
