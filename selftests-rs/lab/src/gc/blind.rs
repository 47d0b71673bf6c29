// SPDX-License-Identifier: MIT OR Apache-2.0
//! Delete by key whatever the snapshot has shown to be expired.

use anyhow::Result;
use cmpdel_uapi_raw::Elements;

use crate::claims::{Claims, Expired, Remove, tell};
use crate::target::Target;
use crate::gate::Stop;
use crate::load::Denied;

struct Blind<'a> {
    elements: Elements<'a>,
    stop: Stop<'a>,
}

pub fn open(target: Target<'_>) -> Result<Box<dyn Remove + '_>, Denied> {
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
