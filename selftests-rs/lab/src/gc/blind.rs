// SPDX-License-Identifier: MIT OR Apache-2.0
//! Delete by key whatever the snapshot has shown to be expired.

use anyhow::Result;
use cmpdel_uapi_raw::Elements;

use super::{DELETE, FREE, READ_CLOCK, SNAPSHOT, Strategy};
use crate::collector::{Claims, Expired, Kernel, Remove, Target, tell};
use crate::gate::Stop;
use crate::load::Denied;

pub(super) const STRATEGY: Strategy = Strategy {
    name: "blind",
    about: "deletes by key (Cilium 1.19)",
    grace: false,
    steps: &[READ_CLOCK, SNAPSHOT, DELETE, FREE],
    kernel: Kernel::Snapshot(open),
    series: None,
};

struct Blind<'a> {
    elements: Elements<'a>,
    stop: Stop<'a>,
}

fn open(target: Target<'_>) -> Result<Box<dyn Remove + '_>, Denied> {
    Ok(Box::new(Blind { elements: target.elements()?, stop: target.stop() }))
}

impl Remove for Blind<'_> {
    fn remove(&mut self, expired: &[Expired<'_>], _: u32, claims: &mut dyn Claims) -> Result<()> {
        for entry in expired {
            self.stop.before("delete")?;
            tell(claims, entry, self.elements.delete(entry.key));
        }
        Ok(())
    }
}
