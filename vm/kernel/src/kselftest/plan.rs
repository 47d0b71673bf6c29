// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is run of the kernel's selftests, and how the guest runs it: each test as a process of its own, with a limit of
//! its own, so that one that crashes or hangs takes no other with it.

use std::path::Path;

use ground::exec::quoted;

use crate::series::Patch;

/// Tests of `test_progs` on the paths that a series may touch: hash maps, LRU, look-up and delete, resizable hash maps,
/// locks in values, and who may do what to a map.
const NAMED: [&str; 19] = [
    "bpftool_maps_access",
    "fd_htab_lookup",
    "for_each",
    "hash_large_key",
    "htab_reuse",
    "htab_update",
    "libbpf_get_fd_by_id_opts",
    "lookup_and_delete",
    "lru_bug",
    "map_excl",
    "map_in_map",
    "map_init",
    "map_lock",
    "map_lookup_percpu_elem",
    "map_ops",
    "rdonly_maps",
    "rhash",
    "rhash_timer",
    "spin_lock",
];

/// A process in the guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// As the report names it.
    pub name: String,
    /// The program, which begins the name.
    pub program: &'static str,
    /// The one test of `test_progs`.
    pub test: Option<String>,
    /// Seconds.
    pub limit: u64,
}

impl Step {
    fn program(program: &'static str, limit: u64) -> Self {
        Self { name: program.into(), program, test: None, limit }
    }

    /// The one test of `test_progs` of that name.
    pub fn named(test: &str) -> Self {
        let program = "test_progs";
        Self { name: format!("{program}:{test}"), program, test: Some(test.into()), limit: 600 }
    }

    /// The file in the guest's folder with all that it said.
    pub fn said(&self) -> String {
        format!("{}.txt", self.name.replace(':', "-"))
    }

    pub(super) fn command(&self) -> String {
        match &self.test {
            None => format!("./{}", self.program),
            // The watchdog of test_progs is set for a machine without emulation.
            Some(test) => format!("./{} --watchdog-timeout={} --allow={test}", self.program, self.limit),
        }
    }
}

/// The tests of `test_progs` that a series brings along: the files that its patches add there.
pub fn ours(patches: &[Patch]) -> Vec<String> {
    let mut names: Vec<String> = patches
        .iter()
        .flat_map(|patch| patch.text.split("\ndiff --git ").skip(1))
        .filter(|diff| diff.contains("\nnew file mode "))
        .filter_map(|diff| {
            let file = diff.lines().find_map(|line| line.strip_prefix("+++ b/"))?;
            let name = file.strip_prefix("tools/testing/selftests/bpf/prog_tests/")?.strip_suffix(".c")?;
            Some(name.to_owned())
        })
        .collect();
    names.sort();
    names.dedup();
    names
}

/// What is run, the quickest first. `test_maps` forks hundreds of tasks and takes long under emulation: it has a limit
/// of its own, and no place in a quick run.
pub fn steps(ours: &[String], quick: bool) -> Vec<Step> {
    let named = ours.iter().map(String::as_str).chain(NAMED).map(Step::named);
    let maps = (!quick).then(|| Step::program("test_maps", 3000));
    [Step::program("test_lru_map", 900)].into_iter().chain(named).chain(maps).collect()
}

/// The longest time without a word from the guest, in seconds.
pub fn longest(steps: &[Step]) -> u64 {
    const SLACK: u64 = 60;
    steps.iter().map(|step| step.limit).max().unwrap_or_default() + SLACK
}

/// Shell lines for the guest's folder `run` that run `steps` from the folder `built`, and tell of it in the file `events`
/// there, as the tests of vm-test do.
pub fn script(steps: &[Step], built: &Path, run: &Path, events: &str) -> String {
    let names: Vec<String> = steps.iter().map(|step| format!("\"{}\"", step.name)).collect();
    let events = quoted(&run.join(events).display().to_string());
    let mut lines = vec![
        format!("say() {{ echo \"$1\" >> {events}; }}"),
        // What init does on a real machine.
        "ip link set lo up; ulimit -l unlimited 2>/dev/null".into(),
        "for fs in tracefs:/sys/kernel/tracing bpf:/sys/fs/bpf; do".into(),
        "  grep -q \" ${fs#*:} \" /proc/mounts || mount -t ${fs%%:*} none ${fs#*:}".into(),
        "done".into(),
        "run() {".into(),
        "  name=$1; limit=$2; out=$3; shift 3".into(),
        "  say \"{\\\"event\\\":\\\"started\\\",\\\"name\\\":\\\"$name\\\"}\"".into(),
        "  began=$(date +%s%3N)".into(),
        "  timeout -k 10 $limit \"$@\" > $out 2>&1; code=$?".into(),
        "  case $code in 0) status=pass detail= ;; 124) status=fail detail=\"no end within $limit s\" ;;".into(),
        "  *) status=fail detail=\"exit status $code\" ;; esac".into(),
        "  ms=$(($(date +%s%3N) - began))".into(),
        "  say \"{\\\"event\\\":\\\"finished\\\",\\\"name\\\":\\\"$name\\\",\\\"status\\\":\\\"$status\\\",\\\"ms\\\":$ms,\\\"detail\\\":\\\"$detail\\\"}\"".into(),
        "}".into(),
        format!("cd {} || exit 1", quoted(&built.display().to_string())),
        format!(
            "say \"{{\\\"event\\\":\\\"plan\\\",\\\"release\\\":\\\"$(uname -r)\\\",\\\"cpus\\\":$(nproc),\\\"tests\\\":[{}]}}\"",
            names.join(",").replace('"', "\\\"")
        ),
    ];
    lines.extend(steps.iter().map(|step| {
        let out = quoted(&run.join(step.said()).display().to_string());
        format!("run {} {} {out} {}", step.name, step.limit, step.command())
    }));
    lines.push(format!("say '{{\"event\":\"done\",\"tests\":{}}}'", steps.len()));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use results::{Event, read_events};

    const EVENTS: &str = "events.jsonl";

    #[test]
    fn only_new_files_among_the_tests_are_ours() {
        let diff = |head: &str, file: &str| {
            format!("\ndiff --git a/{file} b/{file}\n{head}--- /dev/null\n+++ b/{file}\n@@ -0,0 +1 @@\n+x\n")
        };
        let dir = "tools/testing/selftests/bpf";
        let text = [
            diff("new file mode 100644\n", &format!("{dir}/prog_tests/mine.c")),
            diff("index 1..2\n", &format!("{dir}/prog_tests/theirs.c")),
            diff("new file mode 100644\n", &format!("{dir}/progs/mine_too.c")),
        ];
        let patch =
            Patch { path: "x".into(), subject: String::new(), touches: Vec::new(), text: text.concat() };
        assert_eq!(ours(&[patch]), ["mine"]);
    }

    #[test]
    fn the_script_tells_what_the_host_understands() {
        let dir = std::env::temp_dir().join(format!("kselftest-test-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join("test_lru_map"), "#!/bin/sh\necho Pass\n").unwrap();
        std::fs::write(dir.join("test_progs"), "#!/bin/sh\nexit 3\n").unwrap();
        let steps: Vec<Step> = steps(&["mine".into()], true).into_iter().take(2).collect();
        let script =
            script(&steps, &dir, &dir, EVENTS).replace("./test", "sh ./test").replace("ip link", "true");
        let script = script.replace("mount -t", "true");
        assert!(std::process::Command::new("sh").args(["-c", &script]).status().unwrap().success());
        let events: Vec<Event> = read_events(&std::fs::read_to_string(dir.join(EVENTS)).unwrap()).unwrap();
        let names: Vec<&str> = events
            .iter()
            .filter_map(|event| match event {
                Event::Finished(test) => Some(test.detail.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(names, ["", "exit status 3"]);
        assert!(
            matches!(&events[0], Event::Plan { tests, .. } if tests == &["test_lru_map", "test_progs:mine"])
        );
        assert_eq!(events.last(), Some(&Event::Done { tests: 2 }));
        assert_eq!(std::fs::read_to_string(dir.join(steps[0].said())).unwrap(), "Pass\n");
        std::fs::remove_dir_all(dir).unwrap();
    }
}
