// SPDX-License-Identifier: MIT OR Apache-2.0
//! Windows and keys as people give them.

mod bare;
mod whole_entry;

use super::*;
use crate::bytes::hex;
use crate::outcome::Outcome;
use crate::testing::{FLOW_ID, conntrack, conntrack_btf, number, owner, tuple};

fn choose(expect: &str, choice: Choice<'_>) -> Result<(u32, Vec<u8>), Failure> {
    window(&Given::parse(expect).unwrap(), choice, 24, || Ok(conntrack())).map(|w| (w.offset, w.expected))
}

fn whole() -> Choice<'static> {
    Choice::default()
}

fn offset(offset: u32) -> Choice<'static> {
    Choice { offset: Some(offset), ..Choice::default() }
}

fn field(field: &str) -> Choice<'_> {
    Choice { field: Some(field), ..Choice::default() }
}

#[test]
fn windows_are_chosen_as_documented() {
    let long = format!("0x{}", "00".repeat(24));
    let lifetime = 42_u32.to_ne_bytes().to_vec();
    let rows: [(&str, Choice<'_>, u32, Vec<u8>); 13] = [
        (&long, whole(), 0, vec![0; 24]),
        ("u32:42", offset(8), 8, lifetime.clone()),
        ("00", offset(23), 23, vec![0]),
        ("0x42", offset(0), 0, vec![0x42]),
        ("0a 0b", Choice { size: Some(2), ..offset(1) }, 1, vec![10, 11]),
        ("42", field("lifetime"), 8, lifetime.clone()),
        ("u32:42", field("lifetime"), 8, lifetime.clone()),
        ("{\"lifetime\": 42}", whole(), 8, lifetime),
        ("-3", field("delta"), 14, (-3_i16).to_ne_bytes().to_vec()),
        ("42", field("nat.tag[1]"), 21, vec![42]),
        ("0x42", field("nat.tag[1]"), 21, vec![0x42]),
        ("[1, 2]", field("nat.tag"), 20, vec![1, 2]),
        ("{\"mark\": 0, \"tag\": [1, 2]}", field("nat"), 18, vec![0, 0, 1, 2]),
    ];
    for (expect, choice, offset, expected) in rows {
        assert_eq!(choose(expect, choice), Ok((offset, expected)), "{expect} {choice:?}");
    }
}

#[test]
fn what_does_not_fit_says_both_lengths() {
    for (expect, choice, why) in [
        ("00 01", whole(), "2 bytes given, values of this map have 24"),
        ("4200", whole(), "as u32:4200"),
        ("00 01", offset(23), "a window of 2 bytes at offset 23 does not fit values of 24"),
        ("00", offset(24), "does not fit values of 24"),
        ("00", offset(u32::MAX), "does not fit values of 24"),
        ("00 01", Choice { size: Some(3), ..offset(0) }, "2 bytes given, --size says 3"),
        ("{\"lifetime\": 42}", offset(8), "leave one out"),
        ("00 01", field("lifetime"), "2 bytes given (00 01), the field has 4"),
        ("0x2a", field("lifetime"), "1 byte given (2a), the field has 4"),
        ("42", offset(0), "hex, as bpftool prints bytes"),
        ("1", field("seen"), "1 bit, and a window is whole bytes"),
        ("256", field("state"), "256 does not fit enum ct_state (1 byte)"),
        ("-1", field("lifetime"), "does not fit __u32"),
        ("{\"tag\": [1, 2]}", field("nat"), "the JSON names 2 bytes at 20, `nat` has 4 at 18"),
        ("1", field("nope"), "--field nope: no field"),
    ] {
        let failure = choose(expect, choice).unwrap_err();
        assert!(failure.message.contains(why), "{expect} {choice:?}: {}", failure.message);
        assert_eq!(failure.outcome, Outcome::Usage);
    }
}

fn tuple_key(text: &str) -> Result<Key, Failure> {
    key(&Given::parse(text).unwrap(), 24, || Ok(tuple()))
}

fn owner_window(text: &str) -> Result<Window, Failure> {
    window(&Given::parse(text).unwrap(), whole(), 24, || Ok(owner()))
}

#[test]
fn keys_are_whole() {
    let key = |text: &str| key(&Given::parse(text).unwrap(), 4, || Ok(conntrack())).map(|key| key.bytes);
    assert_eq!(key("u32be:1"), Ok(vec![0, 0, 0, 1]));
    assert_eq!(key("[\"0x0a\", \"0x00\", \"0x00\", \"0x01\"]"), Ok(vec![10, 0, 0, 1]));
    assert!(key("10 20 30 40").unwrap_err().message.contains("hex, as bpftool prints bytes"));
    assert_eq!(key("hex 10 20 30 40"), Ok(vec![0x10, 0x20, 0x30, 0x40]));
    assert!(key("0a 00 00").unwrap_err().message.contains("3 bytes given, keys of this map have 4"));
    assert!(key("{\"packets\": 1}").unwrap_err().message.contains("is not named"));
    assert!(key("@/dev/zero").unwrap_err().message.contains("more than 4 bytes given, keys"));
    let words = super::key(
        &Given::parse("u32:1 0x000000000000000000000000 0x0050 06 00 00 0x000000").unwrap(),
        24,
        || Ok(tuple()),
    );
    assert!(words.unwrap_err().message.contains("(__be32)"), "by BTF, bytes of a struct are known as well");
    assert!(key("@/nonexistent").unwrap_err().message.contains("/nonexistent"));
}

#[test]
fn of_a_union_one_member_is_enough() {
    let rest = "\"port\": 80, \"proto\": 6, \"netns\": 1, \"client\": 2, \"tail\": 3";
    let expected = |src: &[u8; 16]| {
        let flags = if cfg!(target_endian = "little") { 2 << 1 | 1 } else { 1 << 7 | 2 };
        [&src[..], &[0, 80, 6, flags, 3, 0, 0, 0]].concat()
    };
    let mut src = [0; 16];
    src[..4].copy_from_slice(&[10, 0, 0, 1]);
    for union in [
        "\"src\": \"0x0a000001\"",
        "\"srcv6\": [167772161, 0, 0, 0]",
        "\"\": {\"src\": 167772161, \"srcv6\": [167772161, 0, 0, 0]}",
    ] {
        let key = tuple_key(&format!("{{{union}, {rest}}}")).unwrap();
        assert_eq!(key.bytes, expected(&src), "{union}");
    }
    let key = tuple_key(&format!("{{\"src\": 1, {rest}}}")).unwrap();
    let said = assumed_zero(&key.assumed).unwrap();
    assert!(said.starts_with("bytes 4 to 15, bytes 21 to 23 taken to be zero"), "{said}");
    for (union, why) in [
        (
            "\"src\": 1, \"srcv6\": [2, 0, 0, 0]",
            "`src` and `srcv6[0]` lie over each other, and contradict each other: name one of them",
        ),
        ("\"proto\": 6", "is there twice"),
    ] {
        let error = Given::parse(&format!("{{{union}, {rest}}}"))
            .map_err(Failure::usage)
            .and_then(|given| super::key(&given, 24, || Ok(tuple())));
        assert!(error.clone().unwrap_err().message.contains(why), "{union}: {error:?}");
    }
    assert!(tuple_key(&format!("{{{rest}}}")).unwrap_err().message.contains("`src` is not named"));
}

#[test]
fn what_bpftool_prints_can_be_pasted() {
    let value = "{\"comm\": \"bash\", \"expires\": 1000, \"dport\": 80, \"code\": 42, \"seen\": 7}";
    let window = owner_window(value).unwrap();
    let expected = [&b"bash\0\0\0\0"[..], &[0, 0, 3, 0xe8, 0, 80, 42, 0], &7_u64.to_ne_bytes()].concat();
    assert_eq!((window.offset, &window.expected), (0, &expected));
    assert!(assumed_zero(&window.assumed).unwrap().starts_with("byte 15 taken"));
    let raw = array(&expected);
    assert_eq!(
        owner_window(&format!("{{\"key\": [\"0x05\"], \"value\": {raw}}}")).unwrap().expected,
        expected
    );
    // Without a number in network order, the fields will do.
    let value = "{\"packets\": 1, \"lifetime\": 42, \"state\": \"CT_CLOSING\"}";
    let expected = choose(value, whole());
    for entry in [
        format!("{{\"key\": 5, \"value\": {value}}}"),
        format!("{{\"formatted\": {{\"key\": 5, \"value\": {value}}}, \"key\": [1]}}"),
    ] {
        assert_eq!(choose(&entry, whole()), expected, "{entry}");
    }
}

/// As `bpftool map dump` and `bpftool map lookup` print them for people, and with --json.
#[test]
fn what_bpftool_prints_is_taken_in_each_of_its_forms() {
    let bytes = [&b"bash\0\0\0\0"[..], &[0, 0, 3, 0xe8, 0, 80, 42, 0], &7_u64.to_ne_bytes()].concat();
    let (hex, raw) = (hex(&bytes), array(&bytes));
    for text in [
        format!("key: 0a 00 00 01  value: {hex}"),
        format!("key: 0a 00 00 01  value: {hex}\nFound 1 element\n"),
        format!("key:\n0a 00 00 01\nvalue:\n{hex}\n"),
        format!("[{{\"key\": [\"0x05\"], \"value\": {raw}}}]"),
    ] {
        assert_eq!(owner_window(&text).unwrap().expected, bytes, "{text}");
    }
    let key = |text: &str| key(&Given::parse(text)?, 4, || Ok(conntrack())).map_err(|why| why.message);
    assert_eq!(key(&format!("key: 10 20 30 40  value: {hex}")).unwrap().bytes, [0x10, 0x20, 0x30, 0x40]);
    for text in [
        "key: 10 20 30 40  value: 5",
        "key: 01 value: 02 key: 03",
        "key: value: 01",
        "key: 01 value (CPU 00): 02",
    ] {
        let error = key(text).unwrap_err();
        assert!(error.contains("paste one entry, whole, or its bytes alone"), "{text}: {error}");
    }
    let two = owner_window("[{\"key\": 1, \"value\": {}}, {\"key\": 2, \"value\": {}}]").unwrap_err().message;
    assert!(two.contains("2 entries are given, and one is wanted: leave out the others"), "{two}");
    let of_number = |text: &str| {
        window(&Given::parse(text).unwrap(), whole(), 8, || Ok(number())).map(|window| window.expected)
    };
    assert_eq!(of_number("[{\"key\": 1, \"value\": 2}]"), Ok(2_u64.to_ne_bytes().to_vec()));
    let two = of_number("[{\"key\": 1, \"value\": 2}, {\"key\": 2, \"value\": 2}]").unwrap_err().message;
    assert!(two.contains("2 entries are given"), "{two}");
    // Bit-fields without quotes, which is no JSON.
    let printed =
        "{\"src\": \"0x0a000001\", \"port\": 80, \"proto\": 6, \"netns\": 0x1,\"client\":0x2 , \"tail\": 3}";
    let quoted = printed.replace("0x1,", "\"0x1\",").replace("0x2 ", "\"0x2\" ");
    assert_eq!(tuple_key(printed), tuple_key(&quoted));
    assert!(tuple_key(printed).is_ok());
}

fn array(bytes: &[u8]) -> String {
    format!("[{}]", bytes.iter().map(|byte| format!("\"0x{byte:02x}\"")).collect::<Vec<_>>().join(","))
}

#[test]
fn a_pasted_entry_that_says_two_things_is_refused() {
    // Of the bytes 00 50 bpftool prints 20480 where integers begin with their lowest byte; people write 80.
    let printed = u16::from_ne_bytes([0, 80]);
    let fields = |comm: &str| {
        let expires = u32::from_ne_bytes([0, 0, 3, 0xe8]);
        format!(
            "{{\"comm\": \"{comm}\", \"expires\": {expires}, \"dport\": {printed}, \"code\": 42, \"seen\": 7}}"
        )
    };
    let tail = [&[0, 0, 3, 0xe8, 0, 80, 42, 0], &7_u64.to_ne_bytes()[..]].concat();
    let bytes = [&b"bash\0old"[..], &tail].concat();
    let entry = |raw: &str, comm: &str| {
        format!("{{\"value\": {raw}, \"formatted\": {{\"value\": {}}}}}", fields(comm))
    };
    assert_eq!(
        owner_window(&entry(&array(&bytes), "bash")).unwrap().expected,
        bytes,
        "behind its end a text is open"
    );
    let error = owner_window(&entry(&array(&bytes), "zsh")).unwrap_err().message;
    assert!(error.contains("its fields by name contradict each other"), "{error}");
    let error = owner_window(&entry(&fields("zsh"), "bash")).unwrap_err().message;
    assert!(error.contains("leave one of them out"), "{error}");
    let typed = owner_window(&format!("{{\"key\": 5, \"value\": {}}}", fields("bash")));
    if cfg!(target_endian = "little") {
        assert!(
            typed.unwrap_err().message.contains("numbers in network order, which bpftool prints in this")
        );
    }
}

#[test]
fn a_value_that_is_one_number_takes_it() {
    let window = |text: &str| {
        window(&Given::parse(text).unwrap(), whole(), 8, || Ok(number())).map(|window| window.expected)
    };
    assert_eq!(window("1000"), Ok(1000_u64.to_ne_bytes().to_vec()));
    assert_eq!(window("42"), Ok(42_u64.to_ne_bytes().to_vec()), "as hex it would be a byte");
    assert_eq!(window("hex 2a 00 00 00 00 00 00 00"), Ok(vec![0x2a, 0, 0, 0, 0, 0, 0, 0]));
    assert!(window("0x2a").unwrap_err().message.contains("a number in hex is written u64:0x2a"));
    assert!(window("u32:42").unwrap_err().message.contains("4 bytes given, values of this map have 8"));
    assert!(window("x").is_err());
    let failure = number().field("x").unwrap_err();
    assert!(failure.contains("gc --offset 0 --type u64"), "{failure}");
}

#[test]
fn a_longer_window_than_is_compared_says_how_to_narrow_it() {
    let window = |size: usize| {
        let bytes = Given::parse(&format!("0x{}", "07".repeat(size))).unwrap();
        window(&bytes, whole(), 80, || Err(Failure::other("no BTF")))
    };
    let choose = |size: usize| {
        let bytes = Given::parse(&format!("0x{}", "07".repeat(size))).unwrap();
        super::window(&bytes, offset(8), 80, || Err(Failure::other("no BTF"))).map(|window| window.range())
    };
    let failure = window(80).unwrap_err();
    assert!(
        failure.message.contains("80 bytes is longer than the 64 that the kernel compares"),
        "{failure:?}"
    );
    assert_eq!(failure.outcome, Outcome::Usage);
    assert_eq!(choose(64), Ok(8..72));
    assert!(choose(65).unwrap_err().message.contains("--field NAME"));
}

#[test]
fn a_new_value_is_of_the_window_of_the_fields_named_or_whole() {
    let mut seen = vec![0xaa; 24];
    seen[8..12].copy_from_slice(&42_u32.to_ne_bytes());
    let set = |expect: &str, value: &str, choice: Choice<'_>| {
        let window = window(&Given::parse(expect).unwrap(), choice, 24, || Ok(conntrack()))?;
        new_value(&Given::parse(value).unwrap(), choice, &window, 24, || Ok(conntrack()))
            .map(|image| (image.is_whole(), image.over(&seen)))
    };
    let with = |at: usize, bytes: &[u8]| {
        let mut value = seen.clone();
        value[at..at + bytes.len()].copy_from_slice(bytes);
        Ok((false, value))
    };
    let fifty = 50_u32.to_ne_bytes();
    let json = "{\"lifetime\": 42}";
    assert_eq!(set("42", "50", field("lifetime")), with(8, &fifty));
    assert_eq!(set("u32:42", "u32:50", offset(8)), with(8, &fifty));
    assert_eq!(set(json, "{\"lifetime\": 50}", whole()), with(8, &fifty));
    assert_eq!(set(json, "{\"state\": \"CT_OPEN\"}", whole()), with(12, &[0]));
    if cfg!(target_endian = "little") {
        assert_eq!(
            set(json, "{\"seen\": 1}", whole()),
            with(22, &[0xab]),
            "one bit, and no other of its byte"
        );
    }
    let bytes = format!("0x{}", "07".repeat(24));
    assert_eq!(set(json, &bytes, whole()), Ok((true, vec![7; 24])));
    assert_eq!(set(&bytes, &bytes, whole()), Ok((true, vec![7; 24])));
    for (expect, value, choice, why) in [
        ("u32:42", "u16:50", offset(8), "--value: 2 bytes given, and --expect has 4"),
        ("42", "4294967296", field("lifetime"), "--value: 4294967296 does not fit"),
        (json, "0x07", whole(), "--value: 1 byte given, values of this map have 24; to set a part"),
        (json, "{}", whole(), "--value: the JSON names no field"),
        (json, "{\"nope\": 1}", whole(), "--value: no field `nope`"),
        (json, "hex 10", whole(), "--value: 1 byte given"),
    ] {
        let failure = set(expect, value, choice).unwrap_err();
        assert!(failure.message.contains(why), "{expect} {value}: {}", failure.message);
        assert_eq!(failure.outcome, Outcome::Usage);
    }
}

/// Where the BTF has one integer, `0x0000002a` is 42 to most people, and the byte 42 behind three zeros to the others.
#[test]
fn hex_of_an_integer_is_not_taken_for_its_bytes_wherever_it_is_given() {
    let of_value = |text: &str, choice: Choice<'_>, layout: fn() -> Layout, size| {
        let given = Given::parse(text).unwrap();
        let role = window(&given, choice, size, || Ok(layout()));
        role.map(|window| window.expected).map_err(|failure| failure.message)
    };
    let flow = |text: &str| {
        let layout = || Ok(Layout::new(&conntrack_btf(), FLOW_ID).unwrap());
        key(&Given::parse(text).unwrap(), 12, layout).map(|key| key.bytes).map_err(|failure| failure.message)
    };
    for text in ["0x0000002a", "0x2a000000", "0x0000002a 00"] {
        let why = of_value(text, offset(8), conntrack, 24).unwrap_err();
        assert!(why.contains("write u32:0x"), "{text}: {why}");
    }
    for text in ["0x0050 0000 0x0a000001 06 00 00 00", "0x5000 00 00 0x01010101 06 00 00 00"] {
        let text = text.replace(" 0000 ", " 00 00 ");
        let why = flow(&text).unwrap_err();
        assert!(why.contains("write u16:0x") && why.contains("each byte as 0x"), "{text}: {why}");
    }
    for (text, at) in
        [("0x01010101", 8), ("hex 0x0000002a", 8), ("0x0000002a", 9), ("0x2a", 12), ("0x00000050", 16)]
    {
        assert!(of_value(text, offset(at), conntrack, 24).is_ok(), "{text} at {at}");
    }
    assert!(flow("hex 0x0050 00 00 0x0a000001 06 00 00 00").is_ok());
    assert!(flow("0x005000000a00000106000000").is_ok(), "one run of bytes over several fields");
}
