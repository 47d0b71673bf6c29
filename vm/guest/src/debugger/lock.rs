// SPDX-License-Identifier: MIT OR Apache-2.0
//! To the moment at which a vCPU gains a lock, by single steps: most locks are taken in line, where no call can be met.

use anyhow::{Result, ensure};

use super::remote::{Registers, Remote, Thread};

/// Steps of a function before its lock, with what it calls. A hash of the key is a hundred, a look-up some hundred more.
const STEPS: u32 = 5000;
/// `EFLAGS.ZF`: a compare-and-swap has swapped.
const SWAPPED: u64 = 0x40;

/// Steps on from the entry of a function until a compare-and-swap has succeeded. `None`: the function returned without one.
///
/// # Errors
/// When it goes on for too long, or the stub refuses.
pub fn gain(remote: &mut Remote, thread: &Thread, entry: &Registers) -> Result<Option<Registers>> {
    let mut at = *entry;
    for _ in 0..STEPS {
        let swaps = is_compare_and_swap(&remote.read_word(thread, at.rip)?.to_le_bytes());
        remote.step(thread)?;
        at = remote.registers(thread)?;
        if swaps && at.eflags & SWAPPED != 0 {
            return Ok(Some(at));
        }
        if at.rsp > entry.rsp {
            return Ok(None);
        }
    }
    ensure!(at.rsp > entry.rsp, "in {STEPS} steps from {:#x} no lock was gained", entry.rip);
    Ok(None)
}

/// `lock cmpxchg`, of any width.
fn is_compare_and_swap(code: &[u8]) -> bool {
    let rest = code.strip_prefix(&[0xf0]).unwrap_or_default();
    // A prefix that says which registers.
    let rest = match rest {
        [0x40..=0x4f, rest @ ..] => rest,
        rest => rest,
    };
    matches!(rest, [0x0f, 0xb0 | 0xb1, ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compare_and_swap_is_known_by_its_code() {
        for code in
            [&[0xf0, 0x0f, 0xb1, 0x13][..], &[0xf0, 0x44, 0x0f, 0xb1, 0x1b], &[0xf0, 0x0f, 0xb0, 0x13]]
        {
            assert!(is_compare_and_swap(code), "{code:x?}");
        }
        // Without a lock; an addition; an exchange.
        for code in [&[0x0f, 0xb1, 0x13][..], &[0xf0, 0x0f, 0xc1, 0x13], &[0x87, 0x03], &[]] {
            assert!(!is_compare_and_swap(code), "{code:x?}");
        }
    }
}
