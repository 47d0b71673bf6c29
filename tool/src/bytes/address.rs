// SPDX-License-Identifier: MIT OR Apache-2.0
//! What looks like an address: its bytes are told, and are not guessed.

use std::net::IpAddr;

/// Why an address is refused, and what to write; `None` where it looks like none.
pub fn why(text: &str) -> Option<String> {
    if let Ok(address) = text.parse() {
        return Some(format!("`{text}` is an address: write its bytes, {}", bytes(address)));
    }
    if let Some((Ok(address), length)) =
        text.split_once('/').map(|(address, length)| (address.parse(), length))
    {
        let is_length = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
        let all = bytes(address).replace("hex ", "0x");
        return is_length.then(|| {
            format!("`{text}` is an address with the length of a prefix: of an LPM trie, write `u32:{length} {all}`")
        });
    }
    if let Some((Ok(address), _)) = text.split_once('%').map(|(address, zone)| (address.parse(), zone)) {
        return Some(format!(
            "`{text}` is an address with a zone, which is none of its bytes: write {}",
            bytes(address)
        ));
    }
    let is_pair = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let between = |sign: char| text.split(sign).all(is_pair) && text.len() > 6;
    let sign = [':', '-'].into_iter().find(|sign| between(*sign))?;
    let digits = text.replace(sign, "").to_lowercase();
    Some(match digits.len() {
        12 => format!("`{text}` is an address: write its bytes, hex {digits}"),
        _ => format!("`{text}` is bytes with `{sign}` between them: write hex {digits}"),
    })
}

/// As they are written here, in network order.
fn bytes(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => format!("u32be:{:#010x}", u32::from(address)),
        IpAddr::V6(address) => format!("hex {:032x}", u128::from(address)),
    }
}
