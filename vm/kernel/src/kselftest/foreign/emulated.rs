// SPDX-License-Identifier: MIT OR Apache-2.0
//! The guest of another architecture: it has no folder of this machine's, so that all it needs is in its initial RAM
//! disk, and all it says is on its console.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use ground::{
    context::Ctx,
    events::Event,
    exec::{self, CommandFailed},
};
use results::{Status, TestResult};

use super::{super::build::BPFTOOL, debs::Root, target::Target};
use crate::kselftest::plan::Step;

/// Begins the lines that are for us.
const MARK: &str = "@@ ";
/// Begins the lines that a test printed.
const SAID: &str = "| ";
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

/// What a guest said.
#[derive(Debug, Default, PartialEq)]
pub struct Told {
    /// `uname -a`, once the tests could begin.
    pub uname: Option<String>,
    /// Each test that ended, and what it printed.
    pub ended: Vec<(TestResult, String)>,
    /// A test that began and did not end, and what it printed.
    pub running: Option<(String, String)>,
    /// It came to its end.
    pub done: bool,
}

/// Reads a console.
pub fn read(console: &str) -> Told {
    let mut told = Told::default();
    for line in console.lines() {
        if let Some(text) = line.strip_prefix(SAID) {
            if let Some((_, said)) = &mut told.running {
                said.push_str(text);
                said.push('\n');
            }
            continue;
        }
        let Some((word, rest)) =
            line.strip_prefix(MARK).map(|line| line.split_once(' ').unwrap_or((line, "")))
        else {
            continue;
        };
        match word {
            "uname" => told.uname = Some(rest.to_owned()),
            "begin" => told.running = Some((rest.to_owned(), String::new())),
            "end" => {
                if let (Some(result), Some((_, said))) = (ended(rest), told.running.take()) {
                    told.ended.push((result, said));
                }
            }
            "done" => told.done = true,
            _ => {}
        }
    }
    told
}

/// `NAME CODE BEGAN ENDED`, in seconds since the boot.
fn ended(line: &str) -> Option<TestResult> {
    let mut words = line.split(' ');
    let (name, code) = (words.next()?, words.next()?);
    let (began, ended): (f64, f64) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let (status, detail) = match code {
        "0" => (Status::Pass, String::new()),
        // 128 and SIGKILL, with which `timeout` ends what is late.
        "137" => (Status::Fail, "it was killed, since it did not end in time or memory was short".into()),
        code => (Status::Fail, format!("exit status {code}")),
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "milliseconds of a guest's life"
    )]
    let ms = ((ended - began).max(0.0) * 1000.0) as u64;
    Some(TestResult { name: name.to_owned(), status, ms, detail })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_console_tells_what_ended_and_what_did_not() {
        let text = "[    0.000000] Linux version 7.3.4\n@@ uname Linux (none) 7.3.4 aarch64 GNU/Linux\n\
                    @@ begin test_progs:a\n| #1 a:OK\n[    2.000000] noise\n| Summary: 1/0\n\
                    @@ end test_progs:a 0 1.50 2.75\n@@ begin test_progs:b\n| no\n@@ end test_progs:b 1 3.00 3.10\n\
                    @@ begin test_progs:c\n| half\n";
        let told = read(text);
        assert!(told.uname.unwrap().contains("aarch64") && !told.done);
        assert_eq!(told.ended[0].1, "#1 a:OK\nSummary: 1/0\n");
        assert_eq!((told.ended[0].0.status, told.ended[0].0.ms), (Status::Pass, 1250));
        assert_eq!(
            (told.ended[1].0.status, told.ended[1].0.detail.as_str()),
            (Status::Fail, "exit status 1")
        );
        assert_eq!(told.running, Some(("test_progs:c".into(), "half\n".into())));
        assert_eq!(read("[    0.000000] Linux version 7.3.4\n"), Told::default());
    }

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
