# SPDX-License-Identifier: MIT OR Apache-2.0
# What the outer guest of `cargo xtask drill --kvm` does: it gives its own guests KVM, and runs commands of this project with it.
# Before these lines stand what they take: repo, target, run, xtask, events, commands, and the environment.

set -e
below=/run/outer/below root=/run/outer/root
modprobe kvm_amd

# The host's files, to be written over in memory alone. The guest's own root would do but for its cache: it has none.
mkdir -p /run/outer
mount -t tmpfs -o size=80% outer /run/outer
mkdir "$below" "$root" /run/outer/upper /run/outer/work
mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=512000,cache=readahead whole "$below"
mount -t overlay -o "lowerdir=$below,upperdir=/run/outer/upper,workdir=/run/outer/work" outer "$root"
for part in dev proc sys; do mount --rbind "/$part" "$root/$part"; done
mount -t tmpfs run "$root/run"
mount --bind "$run" "$root$run"

say() { printf '%s\n' "$1" >> "$run/$events"; }
# One command of the project: passed when it says so, of a guest with KVM, in its record.
one() {
	name=$1 record=$2
	shift 2
	say "{\"event\":\"started\",\"name\":\"kvm::$name\"}"
	from=$(date +%s)
	if chroot "$root" sh -c 'cd "$0" && exec "$@"' "$repo" "$xtask" "$@" --accel kvm --offline \
		> "$run/$name.log" 2>&1 < /dev/null; then status=pass; else status=fail; fi
	mkdir -p "$run/$name"
	cp "$root$target/$record" "$run/$name/" 2> /dev/null || status=fail
	cp "$root$target/${record%/*}"/console-*.log "$run/$name/" 2> /dev/null
	grep -q '"accel": *"kvm"' "$run/$name/${record##*/}" 2> /dev/null || status=fail
	last=$(tail -n 1 "$run/$name.log" | tr -d '"\\')
	ms=$((($(date +%s) - from) * 1000))
	say "{\"event\":\"finished\",\"name\":\"kvm::$name\",\"status\":\"$status\",\"ms\":$ms,\"detail\":\"$last\"}"
	[ "$status" = pass ] || failed=1
}

failed=0
tests= count=0
for command in $commands; do tests="$tests,\"kvm::$command\"" count=$((count + 1)); done
say "{\"event\":\"plan\",\"release\":\"$(uname -r)\",\"cpus\":1,\"tests\":[${tests#,}]}"
set +e
slow="--boot-timeout 900 --test-timeout 3600"
for command in $commands; do
	# shellcheck disable=SC2086
	case $command in
	# One CPU: there is but one below, and two would spend their time in waiting for each other.
	vm-test) one vm-test vm-test/report.json vm-test --cpus 1 --no-races $slow ;;
	races) one races races/matrix.json races --quick $slow ;;
	bench) one bench bench/bench.json bench --quick $slow ;;
	esac
done
say "{\"event\":\"done\",\"tests\":$count}"
dmesg > "$run/dmesg.log"
exit "$failed"
