// SPDX-License-Identifier: MIT OR Apache-2.0
//! Runs a call on the model of a map and of memory, element after element.

use std::collections::BTreeMap;

use cmpdel_uapi::bindings as abi;
use cmpdel_uapi_raw::{COUNT_AT, Errno, Form, Order, Place, WHOLE_ATTR};

use super::memory::{Memory, RACING, Reach};
use super::oracle::{Answer, Route, route};
use super::world::{Home, Target, World};
use crate::errno::{E2BIG, EEXIST, EFAULT, EINVAL, ENOENT, ESTALE};

/// What becomes of accesses to a page that comes and goes. Every other access is decided by where it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Luck {
    /// The attribute cannot be read.
    pub attribute: bool,
    /// Nothing can be written to it before the first element.
    pub first_count: bool,
    /// This element is at fault.
    pub element: Option<u32>,
    /// What is written last cannot be.
    pub last: bool,
}

/// What should be after a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub answer: Answer,
    /// Which map, and what has changed in it.
    pub home: Option<usize>,
    pub changes: Changes,
}

pub type Changes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

impl Outcome {
    fn refused(answer: Answer) -> Self {
        Self { answer, home: None, changes: Changes::new() }
    }
}

/// A call on its way through the model.
pub struct Model<'a> {
    pub world: &'a World,
    pub memory: &'a mut Memory,
    pub series: bool,
    pub luck: Luck,
    /// Whether all of the luck was needed: if not, it was another.
    needed: Luck,
}

impl<'a> Model<'a> {
    pub fn new(world: &'a World, memory: &'a mut Memory, series: bool, luck: Luck) -> Self {
        Self { world, memory, series, luck, needed: Luck::default() }
    }

    /// What should be after it; `None` where this luck cannot be had. Memory holds what is written.
    pub fn run(&mut self, form: &Form) -> Option<Outcome> {
        let outcome = self.attribute(form).unwrap_or_else(Outcome::refused);
        (self.needed == self.luck).then_some(outcome)
    }

    /// Whether an access is at fault, `luck` being what becomes of one that races.
    fn faults(&mut self, reach: Reach, luck: bool) -> bool {
        match reach {
            Reach::Fine => false,
            Reach::Faults => true,
            Reach::Races => luck,
        }
    }

    fn attribute(&mut self, form: &Form) -> Result<Outcome, Answer> {
        let told = self.memory.told(form);
        if told.attr_size > self.memory.page() {
            return Err(Answer::Is(Err(E2BIG)));
        }
        let far = told.behind().is_some_and(|at| at >= WHOLE_ATTR);
        let reach = self.memory.reach(told.attr, 0, told.attr_size, false);
        if self.faults(reach, self.luck.attribute) {
            self.needed.attribute = reach == Reach::Races;
            return Err(if far { Answer::OneOf(&[E2BIG, EFAULT]) } else { Answer::Is(Err(EFAULT)) });
        }
        if far {
            // How much of the attribute a kernel without the series knows is its own matter.
            return Err(if self.series { Answer::Is(Err(E2BIG)) } else { Answer::OneOf(&[E2BIG, EINVAL]) });
        }
        match route(&told, self.world, self.series) {
            Route::Refused(answer) => Err(answer),
            // It was not to be sent.
            Route::Unforeseen => Err(Answer::OneOf(&[])),
            Route::Compares(home) if told.order.is_batch() => Ok(self.batch(&told, home, true)),
            Route::Plain(home) if told.order.is_batch() => Ok(self.batch(&told, home, false)),
            Route::Compares(home) => Ok(self.element(&told, home, true)),
            Route::Plain(home) => Ok(self.element(&told, home, false)),
        }
    }

    fn element(&mut self, told: &Form, home: usize, compares: bool) -> Outcome {
        let mut changes = Changes::new();
        let mut answer = match self.inputs(told, home, compares, 0) {
            true => self.apply(told, home, compares, 0, &mut changes),
            false => Err(EFAULT),
        };
        if told.order == Order::Take && answer.is_ok() {
            let size = self.world.homes[home].value_size;
            let reach = self.memory.reach(told.values, 0, size, true);
            if self.faults(reach, self.luck.last) {
                self.needed.last = reach == Reach::Races;
                answer = Err(EFAULT);
                self.memory.accept(told.values, 0, size);
            } else {
                let key = self.memory.read(told.keys, 0, self.world.homes[home].key_size);
                let value = self.world.homes[home].entries.get(key).cloned().unwrap_or_default();
                self.memory.write(told.values, 0, &value);
            }
        }
        Outcome { answer: Answer::Is(answer), home: Some(home), changes }
    }

    fn batch(&mut self, told: &Form, home: usize, compares: bool) -> Outcome {
        let mut changes = Changes::new();
        if told.count == 0 {
            return Outcome { answer: Answer::Is(Ok(())), home: Some(home), changes };
        }
        let count_reach = self.memory.reach(told.attr, u64::from(COUNT_AT), 4, true);
        if self.faults(count_reach, self.luck.first_count) {
            self.needed.first_count = count_reach == Reach::Races;
            return Outcome { answer: Answer::Is(Err(EFAULT)), home: Some(home), changes };
        }
        self.memory.write(told.attr, u64::from(COUNT_AT), &[0; 4]);
        let (mut answer, mut handled) = (Ok(()), 0);
        while handled < told.count {
            if !self.inputs(told, home, compares, handled) {
                answer = Err(EFAULT);
                break;
            }
            let said = self.apply(told, home, compares, handled, &mut changes);
            match said {
                Err(errno) if !compares || (errno != ESTALE && errno != ENOENT) => {
                    answer = said;
                    break;
                }
                _ => {}
            }
            if compares {
                let status = said.map_or_else(|errno| -errno.0, |()| 0);
                self.memory.write(told.statuses, 4 * u64::from(handled), &status.to_ne_bytes());
            }
            handled += 1;
        }
        if compares && handled < told.count {
            // Of the status of the one that ended it nothing is promised.
            self.memory.accept(told.statuses, 4 * u64::from(handled), 4);
        }
        if self.faults(count_reach, self.luck.last) {
            self.needed.last = count_reach == Reach::Races;
            answer = Err(EFAULT);
        } else {
            self.memory.write(told.attr, u64::from(COUNT_AT), &handled.to_ne_bytes());
        }
        Outcome { answer: Answer::Is(answer), home: Some(home), changes }
    }

    /// Whether all can be read that element `i` is made of, and its status be written.
    fn inputs(&mut self, told: &Form, home: usize, compares: bool, i: u32) -> bool {
        let Home { key_size, value_size, .. } = self.world.homes[home];
        let i = u64::from(i);
        let mut reaches = vec![self.memory.reach(told.keys, i * u64::from(key_size), key_size, false)];
        if matches!(told.order, Order::Update | Order::UpdateBatch) {
            reaches.push(self.memory.reach(told.values, i * u64::from(value_size), value_size, false));
        }
        if compares {
            reaches.push(self.memory.reach(told.compare, i * u64::from(told.stride), told.size, false));
            if told.order.is_batch() {
                reaches.push(self.memory.reach(told.statuses, 4 * i, 4, true));
            }
        }
        if reaches.contains(&Reach::Faults) {
            return false;
        }
        let at_fault = self.luck.element.is_some_and(|element| u64::from(element) == i);
        if at_fault && reaches.contains(&Reach::Races) {
            self.needed.element = self.luck.element;
            return false;
        }
        true
    }

    /// Deals with element `i`.
    fn apply(
        &mut self,
        told: &Form,
        home: usize,
        compares: bool,
        i: u32,
        changes: &mut Changes,
    ) -> Result<(), Errno> {
        let home = &self.world.homes[home];
        let i = u64::from(i);
        let key = self.memory.read(told.keys, i * u64::from(home.key_size), home.key_size);
        let there = changes.get(key).map_or_else(|| home.entries.get(key), Option::as_ref);
        let updates = matches!(told.order, Order::Update | Order::UpdateBatch);
        let flags = if compares || !updates { u64::from(abi::BPF_EXIST) } else { told.flags };
        match there {
            None if flags == u64::from(abi::BPF_EXIST) => return Err(ENOENT),
            Some(_) if flags == u64::from(abi::BPF_NOEXIST) => return Err(EEXIST),
            Some(value) if compares => {
                let start = told.offset as usize;
                let window = &value[start..start + told.size as usize];
                if self.memory.read(told.compare, i * u64::from(told.stride), told.size) != window {
                    return Err(ESTALE);
                }
            }
            _ => {}
        }
        let value =
            || self.memory.read(told.values, i * u64::from(home.value_size), home.value_size).to_vec();
        let new = updates.then(value);
        changes.insert(key.to_vec(), new);
        Ok(())
    }
}

/// Which accesses of a call may race.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Racing {
    Nothing,
    Elements,
    /// Those to the attribute, and maybe others.
    Attribute,
}

/// Of a call as the kernel is told of it.
pub fn racing(told: &Form, world: &World, memory: &Memory) -> Racing {
    let (page, start) = (memory.page(), RACING * memory.page());
    // From a place on some way, whatever lies between.
    let near = |place: Place, len: u32| match place {
        Place::At(at) => at < start + page && at.saturating_add(len) > start,
        _ => false,
    };
    if near(told.attr, told.attr_size.min(page)) {
        return Racing::Attribute;
    }
    let (key_size, value_size) = match world.target(told.fd) {
        Target::Home { home, .. } => (world.homes[home].key_size, world.homes[home].value_size),
        _ => (1, 1),
    };
    let count = if told.order.is_batch() { told.count } else { 1 };
    let elements = [
        (told.keys, key_size.saturating_mul(count)),
        (told.values, value_size.saturating_mul(count)),
        (told.compare, told.stride.saturating_mul(count).saturating_add(told.size)),
        (told.statuses, count.saturating_mul(4)),
    ];
    if elements.iter().any(|&(place, len)| near(place, len)) { Racing::Elements } else { Racing::Nothing }
}
