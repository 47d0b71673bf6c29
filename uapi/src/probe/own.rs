// SPDX-License-Identifier: MIT OR Apache-2.0
//! The same asked of the caller's own map, where this process may not make another. Nothing of it is changed: the key that the
//! kernel is pointed to cannot be read.

use super::answers::{Differs, Size};
use super::refusals::{self, Said};
use crate::change::Change;
use crate::{Error, Map};

/// Between two bytes that are asked about. Fields that the kernel manages are aligned to as many.
const STEP: usize = 8;
/// As far as a byte is looked for that the kernel does not manage.
const FAR: u32 = 512;

/// What a difference may be said with, if the kernel refuses as documented.
///
/// # Errors
/// It does not, or not for this map; [`Error::Permission`] where the fd may not read and write.
pub(super) fn seen(map: &Map<'_>, change: Change, size: Size) -> Result<Differs, Error> {
    map.own_answers.0.once(change, size, || {
        let (info, fd) = (map.info(), map.raw_fd());
        let map_type = info.map_type;
        // Without BTF the kernel manages no byte, and the first is as good as any.
        let far = if info.btf_value_type_id == 0 { 1 } else { FAR };
        for offset in (0..info.value_size.min(far)).step_by(STEP) {
            match refusals::ask(fd, change, size, offset)? {
                Said::Documented => return Ok(Differs::Unseen),
                Said::NotForThisMap => return Err(Error::UnsupportedMap { map_type }),
                Said::Else => {}
            }
        }
        Err(match (change, size) {
            (Change::Delete, Size::One) => Error::UnsupportedKernel,
            // Then what is less is missing too, or it is not.
            (Change::Update, Size::One) => seen(map, Change::Delete, Size::One)
                .map_or_else(|less| less, |_| Error::UnsupportedUpdate { map_type }),
            (_, Size::Many) => seen(map, change, Size::One)
                .map_or_else(|less| less, |_| Error::UnsupportedBatch { map_type }),
        })
    })
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd as _;

    use super::*;
    use crate::bindings as abi;
    use crate::probe::support;
    use crate::scratch::Scratch;
    use crate::{Kind, Support};

    #[test]
    fn a_map_s_own_answers_are_those_of_a_scratch_map_and_change_nothing() {
        const VALUE: [u8; 8] = [0; 8];
        for map_type in [abi::BPF_MAP_TYPE_HASH, abi::BPF_MAP_TYPE_LRU_HASH] {
            let Ok(scratch) = Scratch::new(map_type) else {
                return eprintln!("skipped: this process may not make BPF maps");
            };
            // What a key that cannot be read would be taken for, if anything.
            for key in [[0; 4], Scratch::KEY] {
                scratch.put(key, VALUE).unwrap();
            }
            let map = Map::new(scratch.as_fd()).unwrap();
            for change in [Change::Delete, Change::Update] {
                for size in [Size::One, Size::Many] {
                    let own = seen(&map, change, size);
                    match support(map_type, change, size).unwrap() {
                        Support::Supported => assert_eq!(own.unwrap(), Differs::Unseen),
                        Support::Unsupported => assert_eq!(own.unwrap_err().kind(), Kind::Unsupported),
                    }
                }
            }
            for key in [[0; 4], Scratch::KEY] {
                assert_eq!(scratch.get(key).unwrap(), VALUE);
            }
        }
    }
}
