// SPDX-License-Identifier: MIT OR Apache-2.0
//! A call whose every field is free, its addresses apart: these are places of an [`crate::Arena`], or nobody's memory.

use cmpdel_uapi::bindings::{self as abi, bpf_cmd};

use crate::attr::WHOLE_ATTR;

/// What an address is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// So many bytes into the arena.
    At(u32),
    /// The null pointer.
    Null,
    /// So many bytes before the end of the address space.
    Kernel(u32),
    /// The last bytes that a process could have on x86-64, and has not.
    Top(u32),
    /// Between user space and the kernel, where no address is valid.
    Between(u32),
    /// What a short attribute has left of an address. It is only ever seen by [`crate::Arena::told`], and sent as null.
    Cut(u64),
}

/// The commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// `BPF_MAP_DELETE_ELEM`
    Delete,
    /// `BPF_MAP_UPDATE_ELEM`
    Update,
    /// `BPF_MAP_LOOKUP_AND_DELETE_ELEM`
    Take,
    /// `BPF_MAP_DELETE_BATCH`
    DeleteBatch,
    /// `BPF_MAP_UPDATE_BATCH`
    UpdateBatch,
    /// `BPF_MAP_LOOKUP_AND_DELETE_BATCH`
    TakeBatch,
}

impl Order {
    pub(crate) fn command(self) -> bpf_cmd {
        match self {
            Self::Delete => abi::BPF_MAP_DELETE_ELEM,
            Self::Update => abi::BPF_MAP_UPDATE_ELEM,
            Self::Take => abi::BPF_MAP_LOOKUP_AND_DELETE_ELEM,
            Self::DeleteBatch => abi::BPF_MAP_DELETE_BATCH,
            Self::UpdateBatch => abi::BPF_MAP_UPDATE_BATCH,
            Self::TakeBatch => abi::BPF_MAP_LOOKUP_AND_DELETE_BATCH,
        }
    }

    /// Whether it takes the attribute of a batch.
    #[must_use]
    pub fn is_batch(self) -> bool {
        matches!(self, Self::DeleteBatch | Self::UpdateBatch | Self::TakeBatch)
    }
}

/// The attribute of a call, and where it lies. What an element has no use for is left out of its attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// The command.
    pub order: Order,
    /// The map's fd, or any number.
    pub fd: i32,
    /// The key, or the keys.
    pub keys: Place,
    /// The value, or the values.
    pub values: Place,
    /// The expected bytes.
    pub compare: Place,
    /// The statuses of a batch.
    pub statuses: Place,
    /// Of a batch.
    pub in_batch: Place,
    /// Of a batch.
    pub out_batch: Place,
    /// How many elements a batch has.
    pub count: u32,
    /// The flags of an element, or of each of a batch.
    pub flags: u64,
    /// The flags of a batch.
    pub batch_flags: u64,
    /// First byte of the window in each value.
    pub offset: u32,
    /// Bytes in the window.
    pub size: u32,
    /// From the expected bytes of an element to those of the next.
    pub stride: u32,
    /// One byte set on top of the rest. It counts where no field is.
    pub spoilt: Option<(u32, u8)>,
    /// Where the attribute is.
    pub attr: Place,
    /// How many bytes of it the kernel is told of.
    pub attr_size: u32,
}

/// A field of the attribute.
enum Field<'a> {
    Half(&'a mut u32),
    Fd(&'a mut i32),
    Word(&'a mut u64),
    /// An address from which the kernel reads alone.
    Read(&'a mut Place),
    /// One to which it may write.
    Written(&'a mut Place),
}

impl Field<'_> {
    fn len(&self) -> usize {
        if matches!(self, Self::Half(_) | Self::Fd(_)) { 4 } else { 8 }
    }
}

/// Where `count` is in the attribute of a batch, the one field that the kernel writes.
pub const COUNT_AT: u32 = 32;
const ELEMENT_END: u32 = 48;
const BATCH_END: u32 = 84;
/// In the attribute of an element there is nothing between `map_fd` and `key`.
const PADDING: std::ops::Range<u32> = 4..8;

impl Form {
    /// Where the last field ends.
    #[must_use]
    pub fn end(&self) -> u32 {
        if self.order.is_batch() { BATCH_END } else { ELEMENT_END }
    }

    /// The byte behind the last field that is not zero, if there is one.
    #[must_use]
    pub fn behind(&self) -> Option<u32> {
        self.spoilt.filter(|&(at, byte)| byte != 0 && at >= self.end()).map(|(at, _)| at)
    }

    fn fields(&mut self) -> Vec<(usize, Field<'_>)> {
        use Field::{Fd, Half, Read, Word, Written};
        let takes = self.order == Order::Take;
        if self.order.is_batch() {
            let of_values = |place| if takes_batch(self.order) { Written(place) } else { Read(place) };
            let of_keys = |place| if takes_batch(self.order) { Written(place) } else { Read(place) };
            return vec![
                (0, Read(&mut self.in_batch)),
                (8, Written(&mut self.out_batch)),
                (16, of_keys(&mut self.keys)),
                (24, of_values(&mut self.values)),
                (COUNT_AT as usize, Half(&mut self.count)),
                (36, Fd(&mut self.fd)),
                (40, Word(&mut self.flags)),
                (48, Word(&mut self.batch_flags)),
                (56, Read(&mut self.compare)),
                (64, Written(&mut self.statuses)),
                (72, Half(&mut self.offset)),
                (76, Half(&mut self.size)),
                (80, Half(&mut self.stride)),
            ];
        }
        vec![
            (0, Fd(&mut self.fd)),
            (8, Read(&mut self.keys)),
            (16, if takes { Written(&mut self.values) } else { Read(&mut self.values) }),
            (24, Word(&mut self.flags)),
            (32, Read(&mut self.compare)),
            (40, Half(&mut self.offset)),
            (44, Half(&mut self.size)),
        ]
    }

    /// The bytes of the attribute, all fields and as many more as the kernel is told of, where `address` says what a place
    /// is; and how many the kernel is told of. An attribute that ends within an address that may be written to is cut before
    /// it: the rest of it would be memory of anybody's.
    pub(crate) fn encode(mut self, address: impl Fn(Place) -> u64, page: u32) -> (Vec<u8>, u32) {
        let mut told = self.attr_size;
        let told_of_all = if told <= page { told } else { 0 };
        let mut bytes = vec![0; told_of_all.max(WHOLE_ATTR) as usize];
        let free = |at: u32| at >= self.end() || (!self.order.is_batch() && PADDING.contains(&at));
        if let Some((at, byte)) = self.spoilt.filter(|&(at, _)| free(at))
            && let Some(place) = bytes.get_mut(at as usize)
        {
            *place = byte;
        }
        for (at, field) in self.fields() {
            let start = u32::try_from(at).unwrap_or(u32::MAX);
            let cut = start < told && told < start + 8;
            if cut && matches!(field, Field::Written(_)) {
                told = start;
            }
            match field {
                Field::Half(half) => bytes[at..at + 4].copy_from_slice(&half.to_ne_bytes()),
                Field::Fd(fd) => bytes[at..at + 4].copy_from_slice(&fd.to_ne_bytes()),
                Field::Word(word) => bytes[at..at + 8].copy_from_slice(&word.to_ne_bytes()),
                Field::Read(place) | Field::Written(place) => {
                    bytes[at..at + 8].copy_from_slice(&address(*place).to_ne_bytes());
                }
            }
        }
        (bytes, told)
    }

    /// What the kernel sees of it: what lies behind the bytes that it is told of is zero.
    pub(crate) fn told(mut self, address: impl Fn(Place) -> u64, page: u32) -> Self {
        let (bytes, told) = self.encode(address, page);
        let seen = |at: usize, len: usize| {
            let mut word = [0; 8];
            let end = (at + len).min(told as usize);
            if at < end {
                word[..end - at].copy_from_slice(&bytes[at..end]);
            }
            word
        };
        for (at, field) in self.fields() {
            if at + field.len() <= told as usize {
                continue;
            }
            let word = seen(at, field.len());
            let [a, b, c, d, ..] = word;
            match field {
                Field::Half(half) => *half = u32::from_ne_bytes([a, b, c, d]),
                Field::Fd(fd) => *fd = i32::from_ne_bytes([a, b, c, d]),
                Field::Word(number) => *number = u64::from_ne_bytes(word),
                Field::Read(place) | Field::Written(place) => {
                    *place = match u64::from_ne_bytes(word) {
                        0 => Place::Null,
                        rest => Place::Cut(rest),
                    };
                }
            }
        }
        self.spoilt = self.spoilt.filter(|&(at, _)| at < told);
        self.attr_size = told;
        self
    }
}

fn takes_batch(order: Order) -> bool {
    order == Order::TakeBatch
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: Form = Form {
        order: Order::DeleteBatch,
        fd: 5,
        keys: Place::At(8),
        values: Place::Null,
        compare: Place::At(16),
        statuses: Place::At(24),
        in_batch: Place::Null,
        out_batch: Place::Null,
        count: 0x0102,
        flags: 32,
        batch_flags: 0,
        offset: 1,
        size: 2,
        stride: 3,
        spoilt: Some((90, 7)),
        attr: Place::At(0),
        attr_size: 168,
    };

    fn address(place: Place) -> u64 {
        if let Place::At(at) = place { 0x7f00_0000_0000 + u64::from(at) } else { 0 }
    }

    #[test]
    fn a_short_attribute_is_seen_as_far_as_it_is_told_of() {
        assert_eq!(FORM.told(address, 4096), FORM);
        assert_eq!(FORM.behind(), Some(90));
        let cut = |attr_size| Form { attr_size, ..FORM }.told(address, 4096);
        assert_eq!((cut(80).stride, cut(80).size, cut(80).behind()), (0, 2, None));
        assert_eq!(cut(33).count, u32::from_ne_bytes([0x0102_u32.to_ne_bytes()[0], 0, 0, 0]));
        assert_eq!((cut(40).flags, cut(40).compare), (0, Place::Null));
        assert!(matches!(cut(20).keys, Place::Cut(_)));
        // The kernel writes there.
        assert_eq!((cut(68).attr_size, cut(68).statuses), (64, Place::Null));
    }

    #[test]
    fn a_byte_is_spoilt_where_no_field_is() {
        let byte = |at, order| {
            let form = Form { order, spoilt: Some((at, 9)), flags: 0, stride: 0, ..FORM };
            form.encode(address, 4096).0[at as usize]
        };
        assert_eq!((byte(83, Order::DeleteBatch), byte(84, Order::DeleteBatch)), (0, 9));
        assert_eq!((byte(5, Order::Delete), byte(48, Order::Delete), byte(31, Order::Delete)), (9, 9, 0));
    }
}
