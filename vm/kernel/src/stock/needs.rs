// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the lab needs of a kernel that somebody else configured.

use anyhow::{Result, bail};

use super::Line;
use crate::fragment;

/// For every line: BPF with its types, virtual Ethernet in name spaces, tracing of functions, and what virtme-ng boots with.
const ALL: &str = "\
CONFIG_BPF_SYSCALL=y
CONFIG_BPF_JIT=y
CONFIG_DEBUG_INFO_BTF=y
CONFIG_FUNCTION_TRACER=y
CONFIG_NET_NS=y
CONFIG_VETH=m
CONFIG_9P_FS=m
CONFIG_OVERLAY_FS=m
";

/// Errs unless a kernel configured so can run the lab, and is of the line's flavour.
///
/// # Errors
/// What it lacks.
pub fn check(config: &str, line: &Line) -> Result<()> {
    let flavour = if line.rt { "CONFIG_PREEMPT_RT=y\n" } else { "# CONFIG_PREEMPT_RT is not set\n" };
    let Err(missing) = fragment::check(config, &format!("{ALL}{flavour}")) else { return Ok(()) };
    let lacks: Vec<String> =
        missing.lines.iter().map(|(wanted, got)| format!("{wanted} (it has: {got})")).collect();
    bail!(
        "Debian's newest kernel of line {} is not configured as the lab needs it: {}; take another of the stock kernels",
        line.name,
        lacks.join(", ")
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stock::named;

    #[test]
    fn a_kernel_of_another_flavour_or_without_types_is_refused() {
        let (plain, rt) = (named("7.3").unwrap(), named("7.3-rt").unwrap());
        check(ALL, plain).unwrap();
        check(&format!("{ALL}CONFIG_PREEMPT_RT=y\n"), rt).unwrap();
        let why = check(ALL, rt).unwrap_err().to_string();
        assert!(why.contains("CONFIG_PREEMPT_RT=y (it has: absent)"), "{why}");
        let without = ALL.replace("CONFIG_DEBUG_INFO_BTF=y", "# CONFIG_DEBUG_INFO_BTF is not set");
        let why = check(&without, plain).unwrap_err().to_string();
        assert!(why.contains("line 7.3") && why.contains("CONFIG_DEBUG_INFO_BTF=y (it has: n)"), "{why}");
    }
}
