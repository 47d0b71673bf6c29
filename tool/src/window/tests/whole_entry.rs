// SPDX-License-Identifier: MIT OR Apache-2.0
//! Entries that are pasted whole.

use super::*;
use crate::testing::{ODD_ID, address, named_like_an_entry, odd};

fn of(layout: fn() -> Layout, text: &str, choice: Choice<'_>) -> Result<(u32, Vec<u8>), String> {
    let given = Given::parse(text)?;
    let size = u32::try_from(layout().whole()?.size).unwrap();
    let window = window(&given, choice, size, || Ok(layout()));
    window.map(|window| (window.offset, window.expected)).map_err(|failure| failure.message)
}

fn key_of(layout: fn() -> Layout, text: &str) -> Result<Vec<u8>, String> {
    let size = u32::try_from(layout().whole()?.size).unwrap();
    key(&Given::parse(text)?, size, || Ok(layout())).map(|key| key.bytes).map_err(|failure| failure.message)
}

/// Its value would be compared with that of another entry.
#[test]
fn the_entry_of_another_key_is_refused() {
    let is_of = |text: &str, key: &[u8]| {
        let layout = || Ok(Layout::new(&conntrack_btf(), FLOW_ID).unwrap());
        is_of(&Given::parse(text)?, key, layout, || Ok(conntrack()))
    };
    let no_btf = |text: &str, key: &[u8]| {
        let none = || Err(Failure::usage("no BTF"));
        super::is_of(&Given::parse(text)?, key, none, none)
    };
    let flow = |port: u16| [&port.to_ne_bytes()[..], &[0; 10]].concat();
    for (text, port) in [
        ("{\"key\": {\"port\": 2, \"addr\": 0, \"proto\": 0}, \"value\": {\"lifetime\": 42}}", 2),
        ("{\"key\": {\"port\": 2}, \"value\": {\"lifetime\": 42}}", 2),
        ("[{\"key\": {\"port\": 2}, \"value\": {\"lifetime\": 42}}]", 2),
        ("{\"formatted\": {\"key\": {\"port\": 2}, \"value\": {}}, \"value\": [\"0x01\"]}", 2),
    ] {
        assert_eq!(is_of(text, &flow(port)), Ok(()), "{text}");
        assert!(is_of(text, &flow(1)).unwrap_err().contains("another key than --key, which is"), "{text}");
    }
    for text in [
        "{\"key\": [\"0x02\", \"0x00\"], \"value\": [\"0x2a\"]}",
        "key: 02 00  value: 2a",
        "key:\n02 00\nvalue:\n2a\n",
    ] {
        assert_eq!(no_btf(text, &[2, 0]), Ok(()), "{text}");
        assert!(no_btf(text, &[1, 0]).is_err() && no_btf(text, &[2, 0, 0]).is_err(), "{text}");
    }
    for text in ["value: 2a", "{\"lifetime\": 42}", "2a", "[\"0x2a\"]"] {
        assert_eq!(no_btf(text, &[1, 0]), Ok(()), "{text}: it has no key");
    }
    // Of 10.0.0.1 bpftool prints another number than people do.
    for number in [u32::from_be_bytes([10, 0, 0, 1]), u32::from_ne_bytes([10, 0, 0, 1])] {
        let text = format!("{{\"key\": {{\"src\": {number}}}, \"value\": {{}}}}");
        let key = |last| [&[10, 0, 0, last][..], &[0; 20]].concat();
        let is_of = |key: &[u8]| super::is_of(&Given::parse(&text)?, key, || Ok(tuple()), || Ok(owner()));
        assert_eq!((is_of(&key(1)), is_of(&key(2)).is_err()), (Ok(()), true), "{text}");
    }
}

/// `struct in6_addr` is a union of bytes and of numbers in network order, and bpftool prints all of them.
#[test]
fn an_address_that_bpftool_prints_three_times_is_taken() {
    let bytes = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    let list = |numbers: Vec<String>| numbers.join(",");
    let u8s = list(bytes.iter().map(u8::to_string).collect());
    let pairs = bytes.chunks(2).map(|two| u16::from_ne_bytes([two[0], two[1]]).to_string()).collect();
    let fours =
        bytes.chunks(4).map(|four| u32::from_ne_bytes(four.try_into().unwrap()).to_string()).collect();
    let (be16s, be32s) = (list(pairs), list(fours));
    let printed = format!("{{\"u6_addr8\": [{u8s}], \"a16\": [{be16s}], \"a32\": [{be32s}]}}");
    let entry = format!("{{\"key\": {{\"in6_u\": {printed}}}, \"value\": 1}}");
    assert_eq!(key_of(address, &entry), Ok(bytes.to_vec()));
    if cfg!(target_endian = "little") {
        let alone = format!("{{\"key\": {{\"in6_u\": {{\"a16\": [{be16s}]}}}}, \"value\": 1}}");
        assert!(key_of(address, &alone).unwrap_err().contains("network order"), "it has two readings");
        let typed = format!("{{\"in6_u\": {printed}}}");
        assert!(key_of(address, &typed).unwrap_err().contains("contradict"), "people do not write it so");
    }
}

#[test]
fn a_field_is_cut_out_of_a_pasted_entry() {
    let bytes = [&b"bash\0\0\0\0"[..], &[0, 0, 3, 0xe8, 0, 80, 42, 0], &7_u64.to_ne_bytes()].concat();
    let raw = bytes.iter().map(|byte| format!("\"0x{byte:02x}\"")).collect::<Vec<_>>().join(",");
    let entries = [
        format!("key: 0a 00 00 01  value: {}", hex(&bytes)),
        format!("value: {}", hex(&bytes)),
        format!("{{\"key\": [\"0x05\"], \"value\": [{raw}]}}"),
        "{\"key\": 5, \"value\": {\"comm\": \"bash\", \"code\": 42, \"seen\": 7}}".into(),
    ];
    for text in &entries {
        assert_eq!(of(owner, text, field("code")), Ok((14, vec![42])), "{text}");
        assert_eq!(of(owner, text, field("seen")), Ok((16, 7_u64.to_ne_bytes().to_vec())), "{text}");
        let sized = |offset, size| Choice { offset: Some(offset), size: Some(size), field: None };
        if !text.contains("comm") {
            assert_eq!(of(owner, text, sized(14, 1)), Ok((14, vec![42])), "{text}");
            assert!(of(owner, text, offset(14)).unwrap_err().contains("with --size"), "{text}");
            assert!(of(owner, text, sized(20, 8)).unwrap_err().contains("does not fit"), "{text}");
        }
    }
    let absent = of(owner, &entries[3], field("dport")).unwrap_err();
    assert!(absent.contains("does not name all of `dport`"), "{absent}");
    let changed = entries[2].replace('}', ", \"formatted\": {\"value\": {\"code\": 43}}}");
    assert!(of(owner, &changed, field("code")).unwrap_err().contains("contradict"), "{changed}");
    // By its name.
    let lifetime = |text: &str| of(conntrack, text, field("lifetime"));
    assert_eq!(lifetime("{\"lifetime\": 300}"), Ok((8, 300_u32.to_ne_bytes().to_vec())));
    assert!(lifetime("{\"lifetime\": 300, \"state\": 0}").unwrap_err().contains("names more than"));
    assert!(lifetime("{\"state\": 0}").unwrap_err().contains("does not name all"));
    assert!(lifetime("{}").is_err());
    assert_eq!(of(conntrack, "{\"mark\": 0, \"tag\": [1, 2]}", field("nat")), Ok((18, vec![0, 0, 1, 2])));
    assert!(of(conntrack, "{\"nat\": {\"mark\": 0, \"tag\": [1, 2]}}", field("nat")).is_err());
}

#[test]
fn a_value_may_have_fields_that_are_called_as_the_parts_of_an_entry() {
    let three = |a: u32, b: u32, c: u32| [a, b, c].map(u32::to_ne_bytes).concat();
    let own = "{\"key\": 1, \"value\": 2, \"formatted\": 3}";
    for text in [own.to_owned(), format!("{{\"key\": 9, \"value\": {own}}}")] {
        assert_eq!(of(named_like_an_entry, &text, whole()), Ok((0, three(1, 2, 3))), "{text}");
    }
    assert_eq!(
        of(named_like_an_entry, "{\"key\": 1, \"value\": 2}", whole()),
        Ok((0, three(1, 2, 0)[..8].to_vec()))
    );
    assert_eq!(of(named_like_an_entry, "{\"value\": 2}", whole()), Ok((4, 2_u32.to_ne_bytes().to_vec())));
    assert_eq!(of(named_like_an_entry, own, field("value")), Ok((4, 2_u32.to_ne_bytes().to_vec())));
    assert_eq!(key_of(named_like_an_entry, &format!("{{\"key\": {own}, \"value\": 5}}")), Ok(three(1, 2, 3)));
}

/// In an entry bpftool alone writes those.
#[test]
fn hex_in_a_pasted_entry_is_the_number_that_bpftool_prints() {
    let at = |field: &str, printed: &str| {
        let text = format!("{{\"key\": 1, \"value\": {{\"{field}\": {printed}}}}}");
        of(|| odd(ODD_ID), &text, Choice::default())
    };
    assert_eq!(at("wide", "0x5"), Ok((16, 5_u128.to_ne_bytes().to_vec())));
    assert_eq!(
        at("ptr", "0xffff888103a5c000")
            .map(|(at, bytes)| (at, u64::from_ne_bytes(bytes.try_into().unwrap()))),
        Ok((0, 0xffff_8881_03a5_c000))
    );
    assert_eq!(at("half", "\"0x0050\""), Ok((32, 0x50_u16.to_ne_bytes().to_vec())));
    assert!(
        of(|| odd(ODD_ID), "{\"ptr\": \"0xffff888103a5c000\"}", whole()).is_err(),
        "people may mean the bytes"
    );
}

#[test]
fn a_part_of_a_dump_is_taken_where_it_is_wanted() {
    assert_eq!(
        key_of(number, "key: 10 20 30 40 50 60 70 00"),
        Ok(vec![0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0])
    );
    assert_eq!(
        of(number, "value:\n0a 00 00 00 00 00 00 00\n", whole()),
        Ok((0, 10_u64.to_ne_bytes().to_vec()))
    );
    let error = key_of(number, "value: 0a 00 00 00 00 00 00 00").unwrap_err();
    assert!(error.contains("--key: the value of an entry is pasted, and its key is wanted here"), "{error}");
    let error = of(number, "key: 0a 00 00 00 00 00 00 00", whole()).unwrap_err();
    assert!(error.contains("--expect: the key of an entry is pasted"), "{error}");
    assert!(of(number, "key: 0a", field("x")).is_err());
}

#[test]
fn a_key_by_name_that_is_not_found_says_in_which_order_its_numbers_are() {
    let note = |text: &str, layout: Layout| order_of_key(&Given::parse(text).unwrap(), Some(&layout));
    assert!(note("{\"port\": 80}", tuple()).unwrap().contains("in network order, as people write them"));
    for (text, layout) in [("{\"port\": 80}", conntrack()), ("u16be:80", tuple()), ("[\"0x00\"]", tuple())] {
        assert_eq!(note(text, layout), None, "{text}");
    }
}
