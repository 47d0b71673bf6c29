// SPDX-License-Identifier: MIT OR Apache-2.0
//! Maps to delete from, and the command run on them.

mod btf;

use std::fs;
use std::io::Write;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use cmpdel_uapi::bindings::BPF_MAP_TYPE_HASH;
use cmpdel_uapi::{Map, Snapshot, Support, probe};
use cmpdel_uapi_raw::{self as raw, Create, Errno};

/// The one key.
pub const KEY: [u8; 4] = [10, 0, 0, 1];
/// Its value: 42 in the first four bytes on a little-endian machine.
pub const VALUE: [u8; 8] = [0x2a, 0, 0, 0, 1, 2, 3, 4];

/// Whether this kernel carries the series.
pub static SUPPORTED: LazyLock<bool> = LazyLock::new(|| probe().unwrap() == Support::Supported);

/// A map of one entry.
pub struct Fixture {
    /// The map.
    pub fd: OwnedFd,
    key: Vec<u8>,
}

impl Fixture {
    /// A hash map of [`KEY`] and [`VALUE`]; without the right to make one, the reason on standard error.
    pub fn new(name: &str) -> Option<Self> {
        Self::of_type(BPF_MAP_TYPE_HASH, name)
    }

    /// Of another type.
    pub fn of_type(map_type: u32, name: &str) -> Option<Self> {
        let create =
            Create { map_type, key_size: 4, value_size: 8, max_entries: 4, name, ..Create::default() };
        Self::create(&create, &KEY, &VALUE)
    }

    /// A hash map of [`KEY`] and this value.
    pub fn of_size(name: &str, value: &[u8]) -> Option<Self> {
        let create = Create {
            map_type: BPF_MAP_TYPE_HASH,
            key_size: 4,
            value_size: u32::try_from(value.len()).unwrap(),
            max_entries: 4,
            name,
            ..Create::default()
        };
        Self::create(&create, &KEY, value)
    }

    /// A hash map of `struct ct`: lifetime 42, closing, port 80 in network order; its key is 7.
    pub fn with_btf(name: &str) -> Option<Self> {
        let btf = load(&btf::conntrack_btf())?;
        let mut value = [0; 24];
        value[8..12].copy_from_slice(&42_u32.to_ne_bytes());
        value[12] = 1;
        value[17] = 80;
        let create = Create {
            map_type: BPF_MAP_TYPE_HASH,
            key_size: 4,
            value_size: 24,
            max_entries: 4,
            name,
            btf_fd: btf.as_raw_fd(),
            btf_key_type_id: 2,
            btf_value_type_id: btf::CONNTRACK_ID,
            ..Create::default()
        };
        Self::create(&create, &7_u32.to_ne_bytes(), &value)
    }

    /// A hash map of `struct tuple` to `struct owner` with one entry: from 10.0.0.1, port 80, protocol 6, netns 1, client 2, tail
    /// 3; `bash`, expires 1000, dport 80, code 42, seen `seen`. More of them, up to `entries`, differ in the address.
    pub fn owners(name: &str, entries: u8, seen: u64) -> Option<Self> {
        let btf = load(&btf::tuple_btf())?;
        let create = Create {
            map_type: BPF_MAP_TYPE_HASH,
            key_size: 24,
            value_size: 24,
            max_entries: 64,
            name,
            btf_fd: btf.as_raw_fd(),
            btf_key_type_id: btf::TUPLE_ID,
            btf_value_type_id: btf::OWNER_ID,
            ..Create::default()
        };
        let mut value = [0; 24];
        value[..4].copy_from_slice(b"bash");
        value[8..16].copy_from_slice(&[0, 0, 3, 0xe8, 0, 80, 42, 0]);
        value[16..].copy_from_slice(&seen.to_ne_bytes());
        let flags = if cfg!(target_endian = "little") { 2 << 1 | 1 } else { 1 << 7 | 2 };
        let mut key = [0; 24];
        key[..4].copy_from_slice(&[10, 0, 0, 1]);
        key[16..21].copy_from_slice(&[0, 80, 6, flags, 3]);
        let fixture = Self::create(&create, &key, &value)?;
        for last in 2..=entries {
            key[3] = last;
            raw::update(fixture.fd.as_fd(), &key, &value, 0).unwrap();
        }
        Some(fixture)
    }

    /// How many entries there are, of up to 64.
    pub fn entries(&self) -> usize {
        let map = Map::new(self.fd.as_fd()).unwrap();
        let (mut walk, mut snapshot, mut count) = (map.walk(64).unwrap(), Snapshot::default(), 0);
        while walk.next_into(&mut snapshot).unwrap() {
            count += snapshot.len();
        }
        count
    }

    fn create(create: &Create<'_>, key: &[u8], value: &[u8]) -> Option<Self> {
        let fd = match raw::map_create(create) {
            Ok(fd) => fd,
            Err(errno @ Errno(libc_errno::EPERM | libc_errno::ENOSYS)) => {
                return skip(&format!("this process may not make BPF maps ({errno})"));
            }
            Err(errno) => panic!("BPF_MAP_CREATE: {errno}"),
        };
        raw::update(fd.as_fd(), key, value, 0).unwrap();
        let fixture = Self { fd, key: key.to_vec() };
        match cmpdel_uapi::map_by_id(fixture.id()) {
            Ok(_) => Some(fixture),
            Err(error) => skip(&format!("this process may not open maps by id ({error})")),
        }
    }

    /// The map's id.
    pub fn id(&self) -> u32 {
        Map::new(self.fd.as_fd()).unwrap().info().id
    }

    /// What is at the key now.
    pub fn value(&self) -> Option<Vec<u8>> {
        Map::new(self.fd.as_fd()).unwrap().lookup(&self.key).unwrap()
    }
}

fn load(blob: &[u8]) -> Option<OwnedFd> {
    match raw::btf_load(blob) {
        Ok(btf) => Some(btf),
        Err(errno @ Errno(libc_errno::EPERM)) => skip(&format!("BTF may not be loaded ({errno})")),
        Err(errno) => panic!("BPF_BTF_LOAD: {errno}"),
    }
}

/// The errnos that mean "not here".
mod libc_errno {
    pub const EPERM: i32 = 1;
    pub const ENOSYS: i32 = 38;
}

fn skip<T>(reason: &str) -> Option<T> {
    eprintln!("skipped: {reason}");
    None
}

/// What a run of the command did.
#[derive(Debug)]
pub struct Run {
    /// Exit code.
    pub code: i32,
    /// All of standard output.
    pub stdout: String,
    /// All of standard error.
    pub stderr: String,
}

fn command(args: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cmpdel"));
    command.args(args.split_whitespace());
    command
}

fn output(mut command: Command, input: &[u8]) -> std::io::Result<Run> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    // One that does not read its input has closed it.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output()?;
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ok(Run { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) })
}

/// Runs `cmpdel` with these arguments as they are.
pub fn cmpdel_words(args: &[&str]) -> Run {
    let mut command = command("");
    command.args(args);
    output(command, &[]).unwrap()
}

/// Runs `cmpdel` with arguments that hold no spaces.
pub fn cmpdel(args: &str) -> Run {
    cmpdel_with_input(args, &[])
}

/// With standard input.
pub fn cmpdel_with_input(args: &str, input: &[u8]) -> Run {
    output(command(args), input).unwrap()
}

/// With that file as standard output.
pub fn cmpdel_to(args: &str, out: fs::File) -> Run {
    let output = command(args).stdin(Stdio::null()).stdout(out).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { code: output.status.code().unwrap(), stdout: String::new(), stderr: text(output.stderr) }
}

/// As a user without any right; `None` with the reason where that cannot be.
pub fn cmpdel_as_nobody(args: &str) -> Option<Run> {
    let mut command = command(args);
    command.uid(65534).gid(65534).current_dir("/");
    match output(command, &[]) {
        Ok(run) => Some(run),
        Err(error) => skip(&format!("the command cannot be run as another user ({error})")),
    }
}

/// A file with these bytes, as `@` takes it.
pub fn file(name: &str, bytes: &[u8]) -> String {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.{}", std::process::id()));
    fs::write(&path, bytes).unwrap();
    path.display().to_string()
}

/// A bpffs of this test alone, gone with it.
pub struct Bpffs(PathBuf);

impl Bpffs {
    /// Mounts one; without the right to, the reason on standard error.
    pub fn mount() -> Option<Self> {
        static MOUNTED: AtomicU32 = AtomicU32::new(0);
        let number = MOUNTED.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("cmpdel-bpffs.{}.{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        let mount = Command::new("mount").args(["-t", "bpf", "bpf"]).arg(&path).output();
        match mount {
            Ok(output) if output.status.success() => Some(Self(path)),
            Ok(output) => {
                let _ = fs::remove_dir(&path);
                skip(&format!("no bpffs here: {}", String::from_utf8_lossy(&output.stderr).trim()))
            }
            Err(error) => skip(&format!("mount: {error}")),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Bpffs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
        let _ = fs::remove_dir(&self.0);
    }
}
