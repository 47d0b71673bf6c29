// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who is held where, and who wants what it has.

use approaches::{Gc, MapKind, Refresh};
use results::time::Lock;

use super::callers::Caller;
use crate::target::HELD_WINDOW;
use crate::witness::debugger::Place;

/// Bytes of a key of IPv4.
const KEY: u64 = 14;

/// What a held thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A round of the strategy.
    Collect,
    /// A packet of the flow.
    Packet,
    /// First packets of new flows, until the map has none left and evicts.
    Open,
    /// An update by system call.
    Update,
    /// A delete by system call, of an entry that nobody else wants.
    Delete,
    /// A compare-and-update by system call.
    CompareUpdate,
    /// A look-up that deletes, of an entry that nobody else wants.
    Take,
    /// A batch of look-ups.
    LookUpBatch,
    /// An update with `BPF_F_LOCK`.
    LockedUpdate,
}

/// Whose function it is held in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// The kernel's.
    Kernel(&'static str),
    /// A program's.
    Program(&'static str),
}

/// A hold to try.
#[derive(Clone, Copy, Debug)]
pub struct Scene {
    /// What is held, in words.
    pub name: &'static str,
    /// What it has.
    pub lock: Lock,
    /// The datapath.
    pub refresh: Refresh,
    /// The collector.
    pub gc: Gc,
    /// The map.
    pub map: MapKind,
    /// Whom to hold.
    pub holder: Holder,
    /// In which function.
    pub function: Function,
    /// Where in it.
    pub place: Place<'static>,
    /// Who wants the lock.
    pub wants: &'static [Caller],
    /// Who may want it, or what is held with it.
    pub perhaps: &'static [Caller],
    /// Who goes on without it.
    pub free: &'static [Caller],
    /// The clock goes on meanwhile, past the lifetime that a packet has given.
    pub later: bool,
    /// Packets follow no protocol, and have to lose.
    pub careless: bool,
    /// Part of the quick form.
    pub quick: bool,
}

const fn compared() -> Place<'static> {
    Place::Return { callee: "memcmp", size: Some(HELD_WINDOW as u64), result: Some(0) }
}

const fn found() -> Place<'static> {
    Place::Return { callee: "memcmp", size: Some(KEY), result: Some(0) }
}

const fn after(callee: &'static str) -> Place<'static> {
    Place::Return { callee, size: None, result: None }
}

/// Everybody who takes the lock of a bucket.
const BUCKET: &[Caller] = &[
    Caller::Packet,
    Caller::CompareDelete,
    Caller::CompareBatch,
    Caller::CompareUpdate,
    Caller::Update,
    Caller::LookUpBatch,
];

const HASH: Scene = Scene {
    name: "",
    lock: Lock::Bucket,
    refresh: Refresh::Replace,
    gc: Gc::Compare,
    map: MapKind::Hash,
    holder: Holder::Collect,
    function: Function::Kernel("htab_map_compare_and_delete_elem"),
    place: Place::Lock,
    wants: BUCKET,
    perhaps: &[],
    free: &[Caller::LookUp],
    later: false,
    careless: false,
    quick: true,
};

const LRU: Scene = Scene { map: MapKind::LruHash, ..HASH };

const STRIPE: Scene = Scene {
    lock: Lock::Stripe,
    refresh: Refresh::HalfLifeStripe,
    gc: Gc::ProgStripe,
    function: Function::Program("single"),
    wants: &[Caller::Packet, Caller::Keep],
    free: &[Caller::LookUp, Caller::Other],
    ..HASH
};

const ELEMENT: Scene = Scene {
    lock: Lock::Element,
    refresh: Refresh::LockTagged,
    gc: Gc::ProgLock,
    function: Function::Kernel("bpf_spin_lock"),
    wants: &[Caller::Packet],
    ..HASH
};

/// All of them.
pub const SCENES: &[Scene] = &[
    Scene { name: "hash: compare-and-delete, compared and not unlinked", place: compared(), ..HASH },
    Scene {
        name: "hash: compare-and-delete, compared and not unlinked, beside packets that store in place",
        place: compared(),
        wants: &[],
        free: &[Caller::Packet],
        careless: true,
        ..HASH
    },
    Scene { name: "hash: a batch of compare-and-deletes, just locked", gc: Gc::CompareBatch, ..HASH },
    Scene {
        name: "hash: compare-and-update, compared and not linked",
        holder: Holder::CompareUpdate,
        function: Function::Kernel("htab_map_compare_and_update_elem"),
        place: compared(),
        ..HASH
    },
    Scene {
        name: "hash: a packet's update, just locked",
        holder: Holder::Packet,
        function: Function::Kernel("htab_map_update_elem"),
        ..HASH
    },
    Scene {
        name: "hash: an update, found and not linked",
        holder: Holder::Update,
        function: Function::Kernel("htab_map_update_elem"),
        place: found(),
        quick: false,
        ..HASH
    },
    Scene {
        name: "hash: a delete, found and not unlinked",
        holder: Holder::Delete,
        function: Function::Kernel("htab_map_delete_elem"),
        place: found(),
        wants: &[Caller::DeleteOther, Caller::Take, Caller::LookUpBatch],
        ..HASH
    },
    Scene {
        name: "hash: a look-up that deletes, found and not unlinked",
        holder: Holder::Take,
        function: Function::Kernel("__htab_map_lookup_and_delete_elem"),
        place: found(),
        wants: &[Caller::DeleteOther, Caller::Take, Caller::LookUpBatch],
        quick: false,
        ..HASH
    },
    Scene {
        name: "hash: a batch of look-ups, just locked",
        holder: Holder::LookUpBatch,
        function: Function::Kernel("__htab_map_lookup_and_delete_batch"),
        wants: &[Caller::LookUpBatch],
        perhaps: BUCKET,
        quick: false,
        ..HASH
    },
    Scene { name: "lru-hash: compare-and-delete, compared and not unlinked", place: compared(), ..LRU },
    Scene {
        name: "lru-hash: compare-and-update, compared, before its element is taken",
        holder: Holder::CompareUpdate,
        function: Function::Kernel("htab_map_compare_and_update_elem"),
        place: compared(),
        quick: false,
        ..LRU
    },
    Scene {
        name: "lru-hash: a packet's update, found and not linked",
        holder: Holder::Packet,
        function: Function::Kernel("htab_lru_map_update_elem"),
        place: found(),
        ..LRU
    },
    Scene {
        name: "lru-hash: a delete, found and not unlinked",
        holder: Holder::Delete,
        function: Function::Kernel("htab_lru_map_delete_elem"),
        place: found(),
        wants: &[Caller::DeleteOther, Caller::Take, Caller::LookUpBatch],
        quick: false,
        ..LRU
    },
    Scene {
        name: "lru-hash: an eviction, just locked",
        holder: Holder::Open,
        function: Function::Kernel("htab_lru_map_delete_node"),
        wants: &[Caller::LookUpBatch],
        perhaps: &[Caller::Open],
        ..LRU
    },
    Scene {
        name: "stripe: a packet, just locked",
        holder: Holder::Packet,
        function: Function::Program("renew_striped"),
        ..STRIPE
    },
    Scene {
        name: "stripe: a packet, replaced and not let go",
        holder: Holder::Packet,
        function: Function::Program("renew_striped"),
        place: after("htab_map_update_elem"),
        later: true,
        quick: false,
        ..STRIPE
    },
    Scene {
        name: "stripe: the collector, looked up and not judged",
        place: after("__htab_map_lookup_elem"),
        ..STRIPE
    },
    Scene {
        name: "stripe: the collector, looked up and not judged, on an LRU map",
        map: MapKind::LruHash,
        place: after("__htab_map_lookup_elem"),
        quick: false,
        ..STRIPE
    },
    Scene {
        name: "stripe: the collector, looked up and not judged, beside packets that take no stripe",
        refresh: Refresh::HalfLife,
        place: after("__htab_map_lookup_elem"),
        wants: &[],
        free: &[Caller::Packet],
        careless: true,
        ..STRIPE
    },
    Scene {
        name: "element: a packet, just locked, another packet wants it",
        holder: Holder::Packet,
        place: Place::Lock,
        ..ELEMENT
    },
    Scene { name: "element: the collector, just locked, a packet wants it", place: Place::Lock, ..ELEMENT },
    Scene {
        name: "element: the collector, marked and not unlocked, a look-up with BPF_F_LOCK wants it",
        function: Function::Kernel("bpf_spin_unlock"),
        place: Place::Entry,
        wants: &[Caller::LockedLookUp],
        ..ELEMENT
    },
    Scene {
        name: "element: a packet, stored and not unlocked, the collector wants it",
        holder: Holder::Packet,
        function: Function::Kernel("bpf_spin_unlock"),
        place: Place::Entry,
        wants: &[Caller::Collector],
        later: true,
        quick: false,
        ..ELEMENT
    },
    Scene {
        name: "element: an update with BPF_F_LOCK, just locked, a packet wants it",
        holder: Holder::LockedUpdate,
        function: Function::Kernel("copy_map_value_locked"),
        place: Place::Lock,
        quick: false,
        ..ELEMENT
    },
    Scene {
        name: "element: the collector, marked and not unlocked, beside packets that take no lock",
        function: Function::Kernel("bpf_spin_unlock"),
        place: Place::Entry,
        wants: &[],
        free: &[Caller::Packet],
        careless: true,
        ..ELEMENT
    },
    Scene {
        name: "queue: a packet before its first step, while its entry expires and is collected",
        lock: Lock::None,
        holder: Holder::Packet,
        function: Function::Program("xdp_conntrack"),
        place: Place::Entry,
        wants: &[],
        free: &[Caller::Collector],
        later: true,
        ..HASH
    },
];
