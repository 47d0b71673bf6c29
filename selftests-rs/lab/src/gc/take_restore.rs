// SPDX-License-Identifier: MIT OR Apache-2.0
//! Take the entry out and put it back if it turns out to be live.

use anyhow::Result;
use cmpdel_uapi::bindings as abi;
use cmpdel_uapi_raw::{Elements, Errno};

use crate::claims::{Claims, Expired, Remove, require, tell, tell_kept};
use crate::target::Target;
use crate::value::lifetime_of;
use crate::gate::Stop;
use crate::load::Denied;

struct TakeRestore<'a> {
    elements: Elements<'a>,
    stop: Stop<'a>,
    value: Vec<u8>,
}

const LOCK: u64 = abi::BPF_F_LOCK as u64;

pub fn open(target: Target<'_>) -> Result<Box<dyn Remove + '_>, Denied> {
    let elements = target.elements()?;
    let mut value = vec![0; elements.value_size()];
    let absent = vec![0xff; elements.key_size()];
    require("BPF_MAP_LOOKUP_AND_DELETE_ELEM with BPF_F_LOCK", elements.take(&absent, &mut value, LOCK))?;
    Ok(Box::new(TakeRestore { elements, stop: target.stop(), value }))
}

impl Remove for TakeRestore<'_> {
    fn remove(&mut self, expired: &[Expired<'_>], now: u32, claims: &mut dyn Claims) -> Result<()> {
        for entry in expired {
            self.stop.before("take")?;
            let taken = self.elements.take(entry.key, &mut self.value, LOCK);
            if taken.is_err() || lifetime_of(&self.value) < now {
                tell(claims, entry, taken);
                continue;
            }
            self.stop.before("restore")?;
            match self.elements.update(entry.key, &self.value, abi::BPF_NOEXIST.into()) {
                // The datapath made a new one in the meantime, which is as good.
                Ok(()) | Err(Errno(libc::EEXIST)) => tell_kept(claims, entry),
                Err(errno) => tell(claims, entry, Err(errno)),
            }
        }
        Ok(())
    }
}
