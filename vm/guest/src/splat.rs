// SPDX-License-Identifier: MIT OR Apache-2.0
//! Finds kernel reports in a console log. One table; an exception needs a reason.

/// Something that the kernel says when it found itself in the wrong.
struct Pattern {
    /// What the line holds.
    text: &'static str,
    /// What that is.
    what: &'static str,
    /// The rest of a line for which it is not, and why.
    except: &'static [(&'static str, &'static str)],
}

const fn pattern(text: &'static str, what: &'static str) -> Pattern {
    Pattern { text, what, except: &[] }
}

/// The most telling pattern of a line comes first: one line is one splat.
const PATTERNS: [Pattern; 25] = [
    pattern("Kernel panic - not syncing", "panic"),
    pattern("BUG: KASAN", "KASAN"),
    pattern("BUG: KCSAN", "KCSAN"),
    pattern("KFENCE:", "KFENCE"),
    pattern("UBSAN:", "UBSAN"),
    pattern("possible circular locking", "lockdep"),
    pattern("possible recursive locking", "lockdep"),
    pattern("possible irq lock inversion", "lockdep"),
    pattern("inconsistent lock state", "lockdep"),
    pattern("bad unlock balance", "lockdep"),
    pattern("suspicious RCU usage", "lockdep"),
    pattern("rcu_preempt detected", "RCU stall"),
    pattern("rcu: INFO:", "RCU stall"),
    pattern("sleeping function called from invalid context", "sleep in atomic context"),
    pattern("scheduling while atomic", "sleep in atomic context"),
    pattern("soft lockup", "soft lockup"),
    pattern("hard LOCKUP", "hard lockup"),
    pattern("blocked for more than", "hung task"),
    pattern("unreferenced object", "kmemleak"),
    pattern("new suspected memory leaks", "kmemleak"),
    pattern("general protection fault", "oops"),
    pattern("unable to handle", "oops"),
    pattern("Oops:", "oops"),
    pattern("BUG:", "BUG"),
    Pattern {
        text: "WARNING:",
        what: "warning",
        except: &[(
            "This system has been booted with",
            "the notice about unhashed pointers, printed only when a debug option asks for it",
        )],
    },
];

/// The kernel's part of a console line: what follows its time stamp. Other lines are the guest's programs or QEMU.
pub fn kernel_text(line: &str) -> Option<&str> {
    line.match_indices('[').find_map(|(start, _)| {
        let (stamp, text) = line[start + 1..].split_once("] ")?;
        let (seconds, fraction) = stamp.trim_start().split_once('.')?;
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        // With CONFIG_PRINTK_CALLER the stamp is followed by "[    T1]", which is left in the text.
        (digits(seconds) && fraction.len() == 6 && digits(fraction)).then_some(text)
    })
}

/// The splats of a console log, each as `what: line`.
///
/// # Errors
/// When the log holds no line of the kernel: then nothing was scanned, which must not look like a clean log.
pub fn scan(console: &str) -> Result<Vec<String>, String> {
    let lines: Vec<&str> = console.lines().filter_map(kernel_text).collect();
    if lines.is_empty() {
        return Err("the console log holds no line of the kernel, so it cannot be scanned for splats".into());
    }
    Ok(lines.into_iter().filter_map(of).collect())
}

/// What a line of the kernel reports, if anything.
pub fn of(text: &str) -> Option<String> {
    PATTERNS
        .iter()
        .find(|p| text.contains(p.text) && !p.except.iter().any(|(rest, _reason)| text.contains(rest)))
        .map(|p| format!("{}: {}", p.what, text.trim()))
}

/// Whether the kernel has panicked: nothing more will come of this guest.
pub fn is_panic(line: &str) -> bool {
    kernel_text(line).is_some_and(|text| text.contains("Kernel panic - not syncing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_report_is_found_once() {
        let reports = [
            ("BUG: KASAN: slab-use-after-free in htab_map_delete_elem+0x1/0x2", "KASAN"),
            ("WARNING: possible circular locking dependency detected", "lockdep"),
            ("WARNING: CPU: 1 PID: 7 at kernel/bpf/hashtab.c:1 x+0x1/0x2", "warning"),
            ("rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:", "RCU stall"),
            ("watchdog: BUG: soft lockup - CPU#1 stuck for 22s!", "soft lockup"),
            ("BUG: kernel NULL pointer dereference, address: 0000000000000000", "BUG"),
            ("Oops: Oops: 0002 [#1] SMP", "oops"),
            ("Oops: general protection fault, probably for non-canonical address", "oops"),
            ("kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)", "kmemleak"),
            ("INFO: task test:7 blocked for more than 122 seconds.", "hung task"),
            ("Kernel panic - not syncing: sysrq triggered crash", "panic"),
        ];
        for (text, what) in reports {
            let found = scan(&format!("[    1.234567] {text}\n")).unwrap();
            assert_eq!(found, [format!("{what}: {text}")]);
        }
    }

    #[test]
    fn what_programs_print_is_no_splat_and_an_empty_log_is_no_clean_log() {
        assert_eq!(
            scan("BUG: says a test\n[    0.000000] Linux version 7.3\n").unwrap(),
            Vec::<String>::new()
        );
        assert!(scan("BUG: says a test\n").is_err());
        assert!(scan("").is_err());
    }

    #[test]
    fn a_kernel_line_behind_a_program_that_wrote_no_line_end_is_still_the_kernels() {
        assert_eq!(kernel_text("ok 1 - x[   12.000001] BUG: y"), Some("BUG: y"));
        assert_eq!(kernel_text("[x.y] BUG: y"), None);
    }
}
