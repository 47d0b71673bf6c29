// SPDX-License-Identifier: MIT OR Apache-2.0
//! `--where`: a condition on a field of the key or of the value.

use std::ops::Range;
use std::str::FromStr;

use crate::bytes::{Given, short};
use crate::image::Image;
use crate::layout::{Layout, Of};
use crate::outcome::Failure;
use crate::typed::{self, By};

/// A condition as it is given: `key.proto=17`, `value.state!=CT_OPEN`.
#[derive(Clone, Debug, PartialEq)]
pub struct Where {
    text: String,
    /// Whether it is asked of keys or of values.
    pub of: Of,
    /// None is all of it.
    path: Option<String>,
    given: Given,
    not: bool,
}

impl FromStr for Where {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let shown = short(text);
        let bad = || {
            format!(
                "`{shown}` is no condition: write key.FIELD=V, value.FIELD=V (key=V, value=V where there are no fields), or != instead of ="
            )
        };
        let parts = text.split_once('=');
        let (left, right) = parts.unwrap_or((text, ""));
        if left.contains(['<', '>']) {
            return Err(format!("{}; no order is asked, and an age is --older-than", bad()));
        }
        let (left, not) = left.strip_suffix('!').map_or((left, false), |left| (left, true));
        let (part, path) = left.trim().split_once('.').map_or((left.trim(), None), |(a, b)| (a, Some(b)));
        let of = match part {
            _ if parts.is_none() || path == Some("") => return Err(bad()),
            "key" => Of::Key,
            "value" => Of::Value,
            _ => return Err(bad()),
        };
        let right = right.trim();
        // The operators and patterns of other languages.
        let is_other = right.starts_with(['=', '!', '~', '<', '>', '\'', '*', '^']) || right.ends_with('*');
        if left.ends_with('~') || is_other && !right.starts_with("text:") {
            return Err(format!(
                "{}; a text that begins or ends like that is written with text: before it",
                bad()
            ));
        }
        let given = Given::parse(right).map_err(|why| format!("`{shown}`: {why}"))?;
        if matches!(given, Given::Stdin | Given::File(_)) {
            return Err(format!(
                "`{shown}`: it is compared with what stands in the condition, not with a file"
            ));
        }
        Ok(Self { text: text.into(), of, path: path.map(Into::into), given, not })
    }
}

/// A condition on the bytes of a key or of a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    of: Of,
    image: Image,
    not: bool,
}

impl Condition {
    /// What the BTF makes of it.
    ///
    /// # Errors
    /// There is no such field, or it does not take that.
    pub fn new(given: &Where, layout: &Layout) -> Result<Self, Failure> {
        let Where { text, of, path, given, not } = given;
        let usage = |why: String| Failure::usage(format!("--where {}: {why}", short(text)));
        let what = if *of == Of::Key { "key" } else { "value" };
        let all = layout.whole().map_err(usage)?;
        let is_all = match given {
            Given::Literal(literal) => literal.bytes.as_ref().is_ok_and(|bytes| bytes.len() == all.size),
            _ => true,
        };
        let place = match path.as_deref() {
            None if layout.is_struct() && !is_all => {
                Err(format!("the {what} has fields: write {what}.FIELD=V"))
            }
            None => Ok(all),
            Some(path) if !layout.is_struct() && !path.starts_with('[') => {
                Err(format!("the {what} has no fields: write {what}=V"))
            }
            Some(path) => layout.field(path),
        };
        let path = path.as_deref().unwrap_or_default();
        let place = place.map_err(usage)?;
        let mut image = Image::new(all.size);
        match given {
            Given::Json(json) => {
                typed::json(layout, place, path, json, By::Asking, &mut image).map_err(usage)?;
            }
            Given::Literal(literal) => {
                let bytes = typed::word(layout, place, literal).map_err(usage)?;
                if typed::is_bare_text(layout, place, literal) {
                    is_one_text(&literal.text).map_err(usage)?;
                }
                typed::put_asked(layout, place, path, &literal.text, &bytes, &mut image).map_err(usage)?;
            }
            Given::Stdin | Given::File(_) => {}
        }
        if image.range().is_empty() {
            return Err(usage("it names no field".into()));
        }
        Ok(Self { of: *of, image, not: *not })
    }

    /// Whether an entry meets it.
    #[must_use]
    pub fn holds(&self, key: &[u8], value: &[u8]) -> bool {
        let bytes = match self.of {
            Of::Key => key,
            Of::Value => value,
        };
        self.image.holds(bytes) != self.not
    }

    /// The bytes of the value that it depends on.
    #[must_use]
    pub fn window(&self) -> Option<Range<usize>> {
        match self.of {
            Of::Key => None,
            Of::Value => Some(self.image.range()),
        }
    }
}

/// Whether a text without quotes is no list and no pattern to anybody: `sh|a`, `sh,a`, `%sh%`, `/sh/`.
fn is_one_text(text: &str) -> Result<(), String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_./:@+-".contains(c);
    let is_pattern = text.len() > 1 && text.starts_with('/') && text.ends_with('/');
    if !is_pattern && text.chars().all(is_plain) {
        return Ok(());
    }
    let text = short(text);
    Err(format!(
        "`{text}` can be a text, and can be a list or a pattern: write text:{text} or \"{text}\" for the text; of several texts, \
         ask each in a --where of its own"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FLOW_ID, conntrack, conntrack_btf, number, owner};

    #[test]
    fn conditions_are_read() {
        for text in [
            "key.proto=17",
            "value.state != CT_OPEN",
            "value.nat.tag=[1,2]",
            "key.port=u16be:80",
            "key.x!=\"bash\"",
            "key=7",
            "value != CT_OPEN",
            "key.x=text:ba*",
        ] {
            assert!(text.parse::<Where>().is_ok(), "{text}");
        }
        for text in [
            "",
            "proto=17",
            "key.proto",
            "key.proto=",
            "value.x=-",
            "value.x=@f",
            "key.x==1",
            "key.x!==1",
            "key.x!=~b",
            "key.x!='b'",
            "key.x>=1",
            "key.x<=1",
            "key.x~=b",
            "key.x!=ba*",
            "key.x=*sh",
            "key.x=^ba",
            "keys=7",
            "key.=7",
        ] {
            let error = text.parse::<Where>().expect_err(text);
            assert!(error.contains(text), "{text}: {error}");
        }
        for text in ["value.life>5", "value.life>=5", "value.life<5"] {
            assert!(text.parse::<Where>().unwrap_err().contains("no order is asked"), "{text}");
        }
    }

    #[test]
    fn a_text_ends_with_its_first_zero() {
        let holds = |text: &str, comm: &[u8; 8]| {
            let condition = Condition::new(&text.parse().unwrap(), &owner()).unwrap();
            condition.holds(&[], &[&comm[..], &[0; 16]].concat())
        };
        for text in
            ["value.comm=bash", "value.comm=\"bash\"", "value.comm=text:bash", "value={\"comm\": \"bash\"}"]
        {
            assert!(holds(text, b"bash\0\0\0\0") && holds(text, b"bash\0old"), "{text}");
            assert!(!holds(text, b"bashful\0") && !holds(text, b"bas\0\0\0\0\0"), "{text}");
            let not = text.replacen('=', "!=", 1);
            assert!(!holds(&not, b"bash\0old"), "{not}: it is spared");
        }
        assert!(holds("value.comm=text:abcdefgh", b"abcdefgh"), "it has no zero");
        assert!(holds("value.comm=text:", b"\0\0\0old\0\0"), "empty");
        assert!(!holds("value.comm=hex 62 61 73 68 00 00 00 00", b"bash\0old"), "bytes are all of them");
        let condition = Condition::new(&"value.comm=bash".parse().unwrap(), &owner()).unwrap();
        assert_eq!(condition.window(), Some(0..5));
    }

    #[test]
    fn conditions_are_asked_of_keys_and_values() {
        let flow = Layout::new(&conntrack_btf(), FLOW_ID).unwrap();
        let condition = |text: &str| {
            let given: Where = text.parse().unwrap();
            let layout = if given.of == Of::Key {
                Layout::new(&conntrack_btf(), FLOW_ID).unwrap()
            } else {
                conntrack()
            };
            Condition::new(&given, &layout)
        };
        let (mut key, mut value) = (vec![0; flow.whole().unwrap().size], vec![0; 24]);
        (key[8], value[12], value[22]) = (17, 1, 0xff);
        for (text, holds) in [
            ("key.proto=17", true),
            ("key.proto=6", false),
            ("key.proto!=6", true),
            ("value.state=CT_CLOSING", true),
            ("value.state!=CT_CLOSING", false),
            ("value.seen=1", true),
            ("value.seen=0", false),
        ] {
            assert_eq!(condition(text).unwrap().holds(&key, &value), holds, "{text}");
        }
        let whole = |text: &str| Condition::new(&text.parse().unwrap(), &number());
        assert!(whole("key=7").unwrap().holds(&7_u64.to_ne_bytes(), &[]));
        assert_eq!(whole("value!=7").unwrap().window(), Some(0..8));
        let error = whole("key.x=7").unwrap_err().message;
        assert!(error.contains("the key has no fields: write key=V"), "{error}");
        let error = condition("value=7").unwrap_err().message;
        assert!(error.contains("the value has fields: write value.FIELD=V"), "{error}");
        assert!(condition(&format!("value=0x{}", "00".repeat(24))).is_ok());
        assert_eq!(condition("key.proto=6").unwrap().window(), None);
        assert_eq!(condition("value.state=0").unwrap().window(), Some(12..13));
        for (text, why) in
            [("key.x=1", "no field `x`"), ("value.state=256", "does not fit"), ("value.state=GONE", "GONE")]
        {
            let error = condition(text).unwrap_err();
            assert!(error.message.contains(why), "{text}: {}", error.message);
        }
    }

    /// What should be spared must not be deleted since a list or a pattern was taken for one text.
    #[test]
    fn a_list_or_a_pattern_is_no_text() {
        let condition = |text: &str| Condition::new(&text.parse().map_err(Failure::usage)?, &owner());
        for text in [
            "sh|a", "sh,a", "sh or a", "sh && 1", "in(sh,a)", "%sh%", "/sh/", "sh$", "`sh`", "sh;", "sh # x",
            "“sh”", "‘sh’", "[sh", "sh?", "\\bsh", "sh\ta", "(sh)", "{sh", "#sh",
        ] {
            for sign in ["=", "!="] {
                let condition = condition(&format!("value.comm{sign}{text}"));
                assert!(condition.is_err(), "{sign}{text}: {condition:?}");
            }
        }
        let error = condition("value.comm!=sh|a").unwrap_err().message;
        assert!(error.contains("text:sh|a") && error.contains("\"sh|a\""), "{error}");
        for text in ["text:sh|a", "\"sh|a\"", "text:in(a,b)", "kw/0:1", "a.out", "x@y", "a_b-c+d", " sh "] {
            assert!(condition(&format!("value.comm!={text}")).is_ok(), "{text}");
        }
    }
}
