// SPDX-License-Identifier: MIT OR Apache-2.0
//! The frames of the GDB remote serial protocol: `$`, content, `#`, two digits of checksum; `+` and `-` between them.

/// A packet longer than this is not one of ours: the registers of a vCPU take less than 2 KiB.
const LONGEST: usize = 64 * 1024;

/// What the stub said.
#[derive(Debug, PartialEq, Eq)]
pub enum Said {
    /// The last packet was heard.
    Heard,
    /// The last packet was garbled.
    Again,
    /// A packet, unpacked.
    Packet(String),
    /// A packet whose checksum is wrong, or which is no packet.
    Garbled,
}

/// `content`, framed. None of the packets sent here holds a character that would have to be escaped.
pub fn frame(content: &str) -> Vec<u8> {
    format!("${content}#{:02x}", sum(content.as_bytes())).into_bytes()
}

fn sum(content: &[u8]) -> u8 {
    content.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

/// Bytes as they come in, until they make a packet.
#[derive(Debug, Default)]
pub struct Incoming {
    bytes: Vec<u8>,
}

impl Incoming {
    /// More bytes from the stub.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next thing that the stub said, once it is whole.
    pub fn next(&mut self) -> Option<Said> {
        loop {
            match self.bytes.first()? {
                b'+' => {
                    self.bytes.remove(0);
                    return Some(Said::Heard);
                }
                b'-' => {
                    self.bytes.remove(0);
                    return Some(Said::Again);
                }
                b'$' => return self.packet(),
                // Between packets anything else is noise.
                _ => drop(self.bytes.remove(0)),
            }
        }
    }

    fn packet(&mut self) -> Option<Said> {
        let Some(end) = self.bytes.iter().position(|byte| *byte == b'#') else {
            if self.bytes.len() > LONGEST {
                self.bytes.clear();
                return Some(Said::Garbled);
            }
            return None;
        };
        let told = self.bytes.get(end + 1..end + 3)?.to_vec();
        let content = self.bytes[1..end].to_vec();
        self.bytes.drain(..end + 3);
        let told = std::str::from_utf8(&told).ok().and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if told != Some(sum(&content)) {
            return Some(Said::Garbled);
        }
        Some(unpacked(&content).map_or(Said::Garbled, Said::Packet))
    }
}

/// Without escapes (`}` and a byte, changed in bit 5) and runs (a byte, `*`, and how often more, plus 29).
fn unpacked(content: &[u8]) -> Option<String> {
    let mut plain: Vec<u8> = Vec::new();
    let mut bytes = content.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'}' => plain.push(bytes.next()? ^ 0x20),
            b'*' => {
                let more = bytes.next()?.checked_sub(29)?;
                let last = *plain.last()?;
                plain.extend(std::iter::repeat_n(last, more.into()));
            }
            _ => plain.push(*byte),
        }
    }
    String::from_utf8(plain).ok()
}

/// The number in `digits`, two of them a byte, the lowest byte first, as registers and memory are sent.
pub fn little_endian(digits: &str) -> Option<u64> {
    if digits.is_empty() || digits.len() > 16 || !digits.len().is_multiple_of(2) {
        return None;
    }
    (0..digits.len()).step_by(2).rev().try_fold(0, |number, at| {
        let byte = u64::from_str_radix(digits.get(at..at + 2)?, 16).ok()?;
        Some(number << 8 | byte)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Vec<Said> {
        let mut incoming = Incoming::default();
        // One at a time: a packet may come in any number of pieces.
        let mut said = Vec::new();
        for byte in bytes {
            incoming.push(&[*byte]);
            said.extend(incoming.next());
        }
        said
    }

    #[test]
    fn a_frame_reads_back() {
        assert_eq!(frame("OK"), b"$OK#9a");
        assert_eq!(all(b"+$OK#9a-"), [Said::Heard, Said::Packet("OK".into()), Said::Again]);
    }

    #[test]
    fn a_wrong_checksum_is_noticed_and_does_not_hide_what_follows() {
        assert_eq!(all(b"$OK#9b$OK#9a"), [Said::Garbled, Said::Packet("OK".into())]);
    }

    #[test]
    fn noise_between_packets_is_passed_over() {
        assert_eq!(all(b"xy\x03$OK#9a"), [Said::Packet("OK".into())]);
    }

    #[test]
    fn runs_and_escapes_are_undone() {
        // `0* ` is four zeroes in all; `}` and 0x03 stand for `#`.
        let content = b"0* }\x03";
        let mut bytes = vec![b'$'];
        bytes.extend(content);
        bytes.extend(format!("#{:02x}", sum(content)).bytes());
        assert_eq!(all(&bytes), [Said::Packet("0000#".into())]);
    }

    #[test]
    fn what_is_cut_off_is_garbled() {
        for content in ["*", "0*", "}", "0*\x01"] {
            assert_eq!(all(&frame(content)), [Said::Garbled], "{content:?}");
        }
    }

    #[test]
    fn numbers_come_lowest_byte_first() {
        assert_eq!(little_endian("a01d1d81ffffffff"), Some(0xffff_ffff_811d_1da0));
        assert_eq!(little_endian("46020000"), Some(0x246));
        for wrong in ["", "4", "xx", "000000000000000000"] {
            assert_eq!(little_endian(wrong), None, "{wrong:?}");
        }
    }
}
