// SPDX-License-Identifier: MIT OR Apache-2.0
//! A hold that lasts: the others go on for so long, whatever they do.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use results::races::hold::{Other, Request};

use super::remote::{Remote, Thread};

/// Between looks at the others. Seldom: once in some thousand times that it was asked to stop the guest, QEMU 7.2 did not answer
/// any more.
const LOOK: Duration = Duration::from_millis(400);

/// Lets all but the held vCPU go for `lasts`. Between looks at them the guest's clock stands still, so that the time that they
/// ran is the time that passed for them.
///
/// # Errors
/// When the stub cannot be reached, or nobody wants it any more.
pub fn run_others(
    remote: &mut Remote,
    request: &Request,
    others: &[Thread],
    lasts: Duration,
    wanted: &dyn Fn() -> bool,
) -> Result<Other> {
    let (mut gone, mut looks, mut waiting, mut waited_at) = (Duration::ZERO, 0, 0, None);
    while gone < lasts {
        let began = Instant::now();
        remote.resume(others)?;
        if remote.wait(began + LOOK.min(lasts - gone))?.is_none() {
            remote.interrupt()?;
        }
        gone += began.elapsed();
        looks += 1;
        for other in others {
            let at = remote.registers(other)?.rip;
            if request.locks.iter().any(|lock| lock.contains(at)) {
                waiting += 1;
                waited_at = Some(at);
            }
        }
        ensure!(wanted(), "the run is over");
    }
    Ok(Other::Lasted { looks, waiting, at: waited_at })
}
