// SPDX-License-Identifier: MIT OR Apache-2.0
//! Numbers on standard output: in columns, or a JSON object a line.

use std::time::Duration;

use keep::Round;
use serde_json::{Map, Value, json};

/// How to show.
#[derive(Clone, Copy, Debug)]
pub struct Show {
    pub json: bool,
}

impl Show {
    /// A line for people alone.
    pub fn say(self, text: &str) {
        if !self.json {
            println!("{text}");
        }
    }

    /// A round over the map of that name.
    pub fn round(self, map: &str, at: Duration, round: &Round) {
        let Round { looked_at, expired, deleted, kept, absent, busy } = round;
        let seconds = at.as_secs_f64();
        if self.json {
            let round = json!({
                "map": map, "seconds": seconds, "looked_at": looked_at, "expired": expired, "deleted": deleted,
                "kept": kept, "absent": absent, "busy": busy,
            });
            println!("{}", json!({ "round": round }));
        } else {
            println!(
                "{seconds:5.2} s  {map:6} looked at {looked_at:4}  expired {expired:3}  deleted {deleted:3}  kept {kept:3}  busy {busy:3}"
            );
        }
    }

    /// Counters by name.
    pub fn counters(self, names: &[&str], counts: &[u64]) {
        if self.json {
            let counters: Map<String, Value> =
                names.iter().zip(counts).map(|(name, count)| ((*name).into(), (*count).into())).collect();
            println!("{}", json!({ "counters": counters }));
        } else {
            let counters: Vec<_> =
                names.iter().zip(counts).map(|(name, count)| format!("{count} {name}")).collect();
            println!("packets: {}", counters.join(", "));
        }
    }
}
