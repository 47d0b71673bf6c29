// SPDX-License-Identifier: MIT OR Apache-2.0
//! Frames as the datapath gets them, and the keys of their flows.

/// From the port of that number, between two hosts that are always the same.
pub type Flow = u16;

const ETH_P_IP: [u8; 2] = [8, 0];
const TCP: u8 = 6;
const UDP: u8 = 17;
const CLIENT: [u8; 4] = [192, 0, 2, 1];
const SERVER: [u8; 4] = [192, 0, 2, 2];
const PORT: u16 = 7000;

/// A TCP frame that opens a flow.
pub fn syn(flow: Flow) -> [u8; 64] {
    tcp(flow, 0x02)
}

/// A TCP frame of an open flow.
pub fn data(flow: Flow) -> [u8; 64] {
    tcp(flow, 0x10)
}

/// A UDP frame.
pub fn datagram(flow: Flow) -> [u8; 64] {
    frame(flow, UDP)
}

fn tcp(flow: Flow, flags: u8) -> [u8; 64] {
    let mut frame = frame(flow, TCP);
    frame[46] = 5 << 4;
    frame[47] = flags;
    frame
}

fn frame(flow: Flow, proto: u8) -> [u8; 64] {
    let mut frame = [0; 64];
    frame[12..14].copy_from_slice(&ETH_P_IP);
    frame[14] = 0x45;
    frame[23] = proto;
    frame[26..30].copy_from_slice(&CLIENT);
    frame[30..34].copy_from_slice(&SERVER);
    frame[34..36].copy_from_slice(&flow.to_be_bytes());
    frame[36..38].copy_from_slice(&PORT.to_be_bytes());
    frame
}

/// `struct flow` of a TCP flow.
pub fn key_of(flow: Flow) -> [u8; 16] {
    let mut key = [0; 16];
    key[..4].copy_from_slice(&CLIENT);
    key[4..8].copy_from_slice(&SERVER);
    key[8..10].copy_from_slice(&flow.to_be_bytes());
    key[10..12].copy_from_slice(&PORT.to_be_bytes());
    key[12..].copy_from_slice(&u32::from(TCP).to_ne_bytes());
    key
}

/// The other way round.
pub fn flow_of(key: &[u8]) -> Flow {
    u16::from_be_bytes([key[8], key[9]])
}

/// `keep_pick()` of `keep_hash()`, written down a second time.
pub fn stripe_of(key: &[u8], seed: u64, stripes: u32) -> u32 {
    const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
    let word = |bytes: &[u8]| {
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        u64::from_ne_bytes(word)
    };
    let mut hash = seed;
    for (i, bytes) in key.chunks(8).enumerate() {
        hash = if i == 0 { hash } else { hash.wrapping_mul(MULTIPLIER) } ^ word(bytes);
    }
    hash = (hash ^ (hash >> 32)).wrapping_mul(MULTIPLIER);
    u32::try_from(((hash >> 32) * u64::from(stripes)) >> 32).unwrap()
}
