// SPDX-License-Identifier: MIT OR Apache-2.0
//! Holds in front of a stub that is no QEMU.

mod stub;

use std::{
    cell::Cell,
    fs,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use anyhow::Result;
use results::races::hold::{At, Call, Other, Report, Request, Symbol};

use self::stub::{Guest, Place};
use super::{beside, hold, remote::Remote};

const FUNCTION: u64 = 0xffff_ffff_8100_1000;
const CALLEE: u64 = 0xffff_ffff_8200_0000;
const MARK: u64 = 0xffff_ffff_8300_0000;
const LOCK: u64 = 0xffff_ffff_8400_0000;
/// After the call in the function; after the call of the function; somewhere else in the kernel.
const BACK: u64 = FUNCTION + 0x50;
const CALLER: u64 = 0xffff_ffff_8500_0000;
const ELSEWHERE: u64 = 0xffff_ffff_8600_0000;
const FLAG: u64 = 0x7fff_0000;
const STACK: u64 = 0xffff_c900_0000_1000;

fn symbol(name: &str, start: u64) -> Symbol {
    Symbol { name: name.into(), start, end: start + 0x100 }
}

fn request() -> Request {
    Request {
        function: symbol("function", FUNCTION),
        at: At::Return(Call { callee: symbol("callee", CALLEE), size: Some(6), result: Some(0) }),
        lasts: None,
        mark: symbol("mark", MARK),
        locks: vec![symbol("lock", LOCK)],
        flag: FLAG,
    }
}

fn at(rip: u64, rsp: u64) -> Place {
    Place { rip, rsp, rax: 0, rdx: 0 }
}

/// Enters the function, calls the callee with that size, gets that result, and returns.
fn call(size: u64, result: u64) -> Vec<Place> {
    vec![
        at(ELSEWHERE, STACK),
        at(FUNCTION, STACK),
        Place { rdx: size, ..at(CALLEE, STACK - 8) },
        Place { rax: result, ..at(BACK, STACK) },
        at(BACK + 8, STACK),
        at(CALLER, STACK + 8),
        at(ELSEWHERE, STACK + 8),
    ]
}

fn other(places: &[u64]) -> Vec<Place> {
    places.iter().map(|rip| at(*rip, STACK)).collect()
}

fn guest(held: Vec<Place>, other: Vec<Place>) -> Guest {
    Guest {
        cpus: vec![held.into(), other.into()],
        memory: [(STACK, CALLER), (STACK - 8, BACK)].into(),
        ..Guest::default()
    }
}

/// What came of a hold, and the guest after it, let go.
fn run(guest: Guest, wanted: &dyn Fn() -> bool) -> (Result<Report>, Guest) {
    run_of(&request(), guest, wanted)
}

fn run_of(request: &Request, guest: Guest, wanted: &dyn Fn() -> bool) -> (Result<Report>, Guest) {
    let (stream, stub) = guest.serve();
    let armed = Cell::new(false);
    let report = Remote::greet(stream).and_then(|mut remote| {
        let report = hold::hold(
            &mut remote,
            request,
            || {
                armed.set(true);
                Ok(())
            },
            wanted,
        );
        remote.let_go().unwrap();
        report
    });
    assert!(armed.get() || report.is_err());
    (report, stub.join().unwrap())
}

#[test]
fn one_is_held_after_the_call_while_the_other_comes_to_its_mark() {
    let (report, guest) =
        run(guest(call(6, 0), other(&[ELSEWHERE, ELSEWHERE + 4, MARK, ELSEWHERE])), &|| true);
    assert_eq!(report.unwrap(), Report { at: BACK, interrupts_off: true, other: Other::Passed });
    // The guest was told of it with the one vCPU there, which then did not move.
    let (flag, places) = &guest.writes[0];
    assert_eq!((*flag, places[0]), (FLAG, BACK));
    assert_eq!((guest.cpus[0][0].rip, guest.cpus[1][0].rip), (BACK, MARK));
    assert!(guest.let_go);
}

#[test]
fn one_that_waits_for_the_held_lock_is_not_waited_for() {
    let (report, guest) = run(guest(call(6, 0), other(&[ELSEWHERE, LOCK + 8])), &|| true);
    assert_eq!(report.unwrap().other, Other::Waited { at: LOCK + 8 });
    assert!(guest.let_go);
}

#[test]
fn a_hold_that_lasts_ends_by_itself_and_says_so() {
    let request = Request { lasts: Some(500), ..request() };
    let (report, guest) = run_of(&request, guest(call(6, 0), other(&[ELSEWHERE, LOCK + 8])), &|| true);
    let Other::Lasted { looks, waiting, at } = report.unwrap().other else { panic!("it did not last") };
    assert!(looks >= 2 && waiting == looks && at == Some(LOCK + 8), "{looks} {waiting} {at:x?}");
    // It heard of both ends with the one vCPU there.
    let held: Vec<_> = guest.writes.iter().map(|(flag, places)| (*flag, places[0])).collect();
    assert_eq!(held, [(FLAG, BACK), (FLAG, BACK)]);
    assert!(guest.let_go);
}

#[test]
fn one_is_held_when_it_has_gained_a_lock() {
    let places = [ELSEWHERE, FUNCTION, FUNCTION + 4, FUNCTION + 9, FUNCTION + 11, CALLER];
    let mut guest = guest(other(&places), other(&[ELSEWHERE, MARK]));
    // A `nop`, and `lock cmpxchg %edx,(%rbx)`. In the stub's flags, each has swapped.
    guest.memory.extend([(FUNCTION, 0x90), (FUNCTION + 4, 0x13b1_0ff0)]);
    let (report, guest) = run_of(&Request { at: At::Lock, ..request() }, guest, &|| true);
    assert_eq!(report.unwrap(), Report { at: FUNCTION + 9, interrupts_off: true, other: Other::Passed });
    assert!(guest.let_go);
}

#[test]
fn one_is_held_at_its_first_instruction() {
    let guest = guest(call(6, 0), other(&[ELSEWHERE, MARK]));
    let (report, guest) = run_of(&Request { at: At::Entry, ..request() }, guest, &|| true);
    assert_eq!(report.unwrap().at, FUNCTION);
    assert_eq!(guest.cpus[0][0].rip, FUNCTION);
}

#[test]
fn calls_of_another_size_and_rounds_without_the_call_are_passed_over() {
    let mut places = call(4, 0);
    places.extend(call(6, 0));
    let mut beside = other(&[ELSEWHERE; 30]);
    beside.extend(other(&[MARK]));
    let (report, guest) = run(guest(places, beside), &|| true);
    assert_eq!(report.unwrap().other, Other::Passed);
    // The second call: three places are left behind the one it is held at.
    assert_eq!((guest.cpus[0][0].rip, guest.cpus[0].len()), (BACK, 4));
}

#[test]
fn a_call_that_found_a_difference_is_not_held() {
    let (report, guest) = run(guest(call(6, 99), other(&[ELSEWHERE])), &|| true);
    assert!(report.unwrap_err().to_string().starts_with("callee returned 99 in function, not 0"));
    assert!(guest.writes.is_empty() && guest.let_go);
}

#[test]
fn a_run_that_is_over_lets_go_at_once() {
    let (report, guest) = run(guest(other(&[ELSEWHERE]), other(&[ELSEWHERE])), &|| false);
    assert_eq!(report.unwrap_err().to_string(), "the run is over");
    assert!(guest.let_go);
}

#[test]
fn one_cpu_cannot_be_held() {
    let mut alone = guest(call(6, 0), Vec::new());
    alone.cpus.pop();
    let (report, guest) = run(alone, &|| true);
    assert!(report.unwrap_err().to_string().starts_with("the guest has one CPU"));
    assert!(guest.let_go);
}

#[test]
fn memory_that_is_not_there_ends_the_hold_and_not_the_guest() {
    let mut broken = guest(call(6, 0), other(&[ELSEWHERE]));
    broken.memory.clear();
    let (report, guest) = run(broken, &|| true);
    assert!(report.unwrap_err().to_string().starts_with("cannot read the guest's memory"));
    assert!(guest.let_go);
}

#[test]
fn a_stub_that_cannot_let_one_go_alone_is_refused() {
    let (stream, stub) = Guest { old: true, ..guest(Vec::new(), Vec::new()) }.serve();
    let error = Remote::greet(stream).err().unwrap().to_string();
    assert!(error.contains("cannot let one vCPU go alone"), "{error}");
    stub.join().unwrap();
}

#[test]
fn a_guest_that_is_gone_is_said_to_be() {
    let (stream, stub) = guest(call(6, 0), other(&[ELSEWHERE])).serve();
    let mut remote = Remote::greet(stream.try_clone().unwrap()).unwrap();
    stream.shutdown(std::net::Shutdown::Both).unwrap();
    assert!(remote.threads().unwrap_err().to_string().contains("gdb stub"));
    stub.join().unwrap();
}

#[test]
fn each_request_is_answered_in_its_turn() {
    let run = std::env::temp_dir().join(format!("debugger-test-{}", std::process::id()));
    fs::create_dir_all(&run).unwrap();
    fs::write(run.join("hold-0.json"), "hold me").unwrap();
    fs::write(run.join("hold-1.json"), serde_json::to_vec(&request()).unwrap()).unwrap();
    let over = AtomicBool::new(false);
    let task = beside(&run).task.unwrap();
    thread::scope(|scope| {
        let served = scope.spawn(|| task(&over));
        while !run.join("hold-1.failed").exists() && !served.is_finished() {
            thread::sleep(Duration::from_millis(1));
        }
        over.store(true, Ordering::Relaxed);
        served.join().unwrap().unwrap();
    });
    let failed = |number: u32| fs::read_to_string(run.join(format!("hold-{number}.failed"))).unwrap();
    assert!(failed(0).starts_with("hold-0.json is no request to hold a vCPU"), "{}", failed(0));
    assert!(failed(1).starts_with("cannot reach QEMU's gdb stub"), "{}", failed(1));
    assert!(!run.join("hold-1.armed").exists());
    fs::remove_dir_all(run).unwrap();
}
