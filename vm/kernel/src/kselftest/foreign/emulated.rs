// SPDX-License-Identifier: MIT OR Apache-2.0
//! The guest of another architecture: it has no folder of this machine's, so that all it needs is in its initial RAM
//! disk, and all it says is on its console.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use super::{super::build::BPFTOOL, debs::Root, target::Target, told::MARK};
use crate::kselftest::plan::Step;
use anyhow::{Context, Result};
use ground::{
    context::Ctx,
    events::Event,
    exec::{self, CommandFailed},
};

/// For the kernel to come up, under emulation, in seconds.
const BOOT: u64 = 300;
/// For QEMU to end after it was asked to.
const KILL_AFTER: &str = "10";

/// Where the tests are in the guest.
const TESTS: &str = "tests";
/// Folders of the guest that are empty at first.
const EMPTY: [&str; 6] = ["dev", "proc", "sys", "tmp", "run", "root"];
/// What a C library has for programs that link nothing else from it.
const LIBRARY: &str = "libc.so.6";

/// The first program of the guest: mounts what the tests use, runs each, says what they said, and switches off.
fn init(steps: &[Step]) -> String {
    let mut lines: Vec<String> = [
        "#!/bin/busybox sh",
        "/bin/busybox --install -s /bin",
        "export PATH=/bin HOME=/root",
        "mount -t devtmpfs none /dev",
        "exec </dev/console >/dev/console 2>&1",
        "mount -t proc none /proc",
        "mount -t sysfs none /sys",
        "mount -t tmpfs none /tmp",
        "mount -t bpf none /sys/fs/bpf",
        "mount -t cgroup2 none /sys/fs/cgroup",
        "mount -t tracefs none /sys/kernel/tracing",
        "ip link set lo up",
        "ulimit -l unlimited",
        // Warnings alone: the rest would stand in the middle of what tests say.
        "dmesg -n 5",
        "run() {",
        "  name=$1; limit=$2; shift 2",
        "  echo \"@@ begin $name\"",
        "  read began rest < /proc/uptime",
        "  timeout -s KILL $limit \"$@\" > /tmp/said 2>&1; code=$?",
        "  read ended rest < /proc/uptime",
        "  sed 's/^/| /' /tmp/said",
        "  echo \"@@ end $name $code $began $ended\"",
        "}",
    ]
    .map(str::to_owned)
    .into();
    lines.push(format!("cd /{TESTS}"));
    lines.push("echo \"@@ uname $(uname -a)\"".into());
    lines.extend(steps.iter().map(|step| format!("run {} {} {}", step.name, step.limit, step.command())));
    lines.push("echo '@@ done'".into());
    lines.push("poweroff -f".into());
    lines.join("\n") + "\n"
}

/// Writes the initial RAM disk with the tests from `built` below `run`.
///
/// # Errors
/// Files that are missing, no space.
pub fn initrd(
    ctx: &Ctx,
    target: &Target,
    root: &Root,
    built: &Path,
    run: &Path,
    steps: &[Step],
) -> Result<PathBuf> {
    let disk = run.join("initrd");
    let place = |from: &Path, to: &str| -> Result<()> {
        let to = disk.join(to);
        fs::create_dir_all(to.parent().unwrap_or(&disk))?;
        fs::copy(from, &to).with_context(|| format!("cannot put {} into the guest", from.display()))?;
        fs::set_permissions(&to, fs::Permissions::from_mode(0o755))?;
        Ok(())
    };
    for name in EMPTY {
        fs::create_dir_all(disk.join(name))?;
    }
    place(&root.busybox(), "bin/busybox")?;
    for library in [target.loader, LIBRARY] {
        place(&target.library(library), &format!("lib/{library}"))?;
    }
    for entry in fs::read_dir(built)? {
        let path = entry?.path();
        if path.is_file() {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            place(&path, &format!("{TESTS}/{name}"))?;
        }
    }
    place(&built.join(BPFTOOL), &format!("{TESTS}/{BPFTOOL}"))?;
    let script = run.join("init");
    fs::write(&script, init(steps))?;
    place(&script, "init")?;
    let packed = run.join("initrd.gz");
    let mut pack = Command::new("sh");
    pack.args(["-c", "set -e; cd \"$1\"; find . | cpio --quiet -o -H newc -R 0:0 > \"$1.cpio\"; gzip -1 -n -c \"$1.cpio\" > \"$2\"; rm \"$1.cpio\"", "sh"]);
    exec::stream(ctx, pack.arg(&disk).arg(&packed), "initrd", |_| ())
        .context("cannot pack the guest's RAM disk")?;
    fs::remove_dir_all(&disk).context("cannot remove what was packed")?;
    Ok(packed)
}

/// How a guest is run.
pub struct Machine<'a> {
    /// What it is.
    pub target: &'a Target,
    /// Virtual CPUs.
    pub cpus: u32,
    /// As QEMU takes it.
    pub memory: &'a str,
}

/// A guest that is over.
pub struct Console {
    /// Where all of it is.
    pub path: PathBuf,
    /// The same.
    pub text: String,
    /// It was ended by the clock.
    pub late: Option<u64>,
}

/// Boots `image`, and gives what was on the console.
///
/// # Errors
/// When QEMU cannot be started, or the run is interrupted or out of time.
pub fn boot(
    ctx: &Ctx,
    machine: &Machine<'_>,
    image: &Path,
    initrd: &Path,
    name: &str,
    steps: &[Step],
) -> Result<Console> {
    let Machine { target, cpus, memory } = *machine;
    let longest = steps.iter().map(|step| step.limit).max().unwrap_or_default();
    let limit = BOOT + longest + 60 * u64::try_from(steps.len()).unwrap_or_default();
    let mut qemu = Command::new("timeout");
    qemu.args(["--kill-after", KILL_AFTER, &limit.to_string()]).args(target.qemu);
    qemu.args(["-smp", &cpus.to_string(), "-m", memory, "-nographic", "-no-reboot", "-nic", "none"]);
    qemu.arg("-kernel").arg(image).arg("-initrd").arg(initrd);
    qemu.arg("-append").arg(format!("console={} printk.time=1 panic=-1 oops=panic", target.console));
    let mut text = String::new();
    let ended = exec::stream(ctx, &qemu, &format!("console-{name}"), |line| {
        text.push_str(line);
        text.push('\n');
        if let Some(test) = line.strip_prefix(MARK).and_then(|rest| rest.strip_prefix("begin ")) {
            let done = u64::try_from(text.matches("@@ begin ").count()).unwrap_or_default();
            let total = u64::try_from(steps.len()).unwrap_or_default();
            ctx.events.emit(&Event::Progress { done, total, what: test.into() });
        }
    });
    let path = ctx.out.join("logs").join(format!("console-{name}.log"));
    let late = match ended {
        Ok(_) => None,
        // What the console says decides, not how QEMU ended; but that the clock ended it is worth knowing.
        Err(e) => match e.downcast_ref::<CommandFailed>() {
            Some(failed) => failed.status.ends_with(" 124").then_some(limit),
            None => return Err(e),
        },
    };
    Ok(Console { path, text, late })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_program_runs_each_test_and_switches_off() {
        let steps = [Step::named("a"), Step::named("b")];
        let script = init(&steps);
        assert!(script.contains(
            "\nrun test_progs:a 600 ./test_progs --watchdog-timeout=600 --allow=a\nrun test_progs:b"
        ));
        assert!(script.ends_with("echo '@@ done'\npoweroff -f\n"));
        let checked = Command::new("sh").args(["-n", "-c", &script]).status().unwrap();
        assert!(checked.success());
    }
}
