// SPDX-License-Identifier: MIT OR Apache-2.0
//! Calls that no program would make, by the thousand: odd sizes and flags, pointers into holes and into each other's memory, pages
//! that are unmapped while the kernel is at them, fds of every kind, maps of every type. A model of the map and of memory says
//! what each may answer and what has to be there afterwards. Kernels without the series refuse the flag, whatever is beside it.
//!
//! Call `n` of seed `s` is call 0 of seed `s + n`: each can be had again by itself.

mod draft;
mod draw;
mod memory;
mod model;
mod oracle;
mod spoil;
mod world;

use std::collections::HashMap;

use anyhow::Result;
use cmpdel_uapi_raw::{COUNT_AT, Errno, Form, Order};

use self::draw::{Call, draw};
use self::memory::Memory;
use self::model::{Luck, Model, Outcome, Racing, racing};
use self::oracle::{Route, route};
use self::world::World;
use crate::errno::EFAULT;
use crate::series::Series;
use crate::verdict::{On, Tally, Test, Verdict};
use crate::{Context, Kernel};

/// How many of each command are enough for a run of everything.
const QUICK: u64 = 5_000;
/// How often all of memory and all maps are looked at.
const EVERY: u64 = 500;
/// After so many failures the rest would say nothing new.
const ENOUGH: usize = 20;
/// Of a batch whose attribute comes and goes.
const MOST_GUESSED: u32 = 32;

pub fn tests() -> Vec<Test> {
    let test = |name: &'static str, orders: &'static [Order]| {
        Test::new(name, On::Both, move |context| run(name, orders, context))
    };
    vec![
        test("malformed::deletes_do_what_the_model_does", &[Order::Delete]),
        test("malformed::updates_do_what_the_model_does", &[Order::Update]),
        test("malformed::batches_of_deletes_do_what_the_model_does", &[Order::DeleteBatch]),
        test("malformed::batches_of_updates_do_what_the_model_does", &[Order::UpdateBatch]),
        test("malformed::look_ups_that_delete_do_not_compare", &[Order::Take, Order::TakeBatch]),
        Test::new("malformed::a_seed_draws_the_same_calls_again", On::Both, again),
    ]
}

/// Of two worlds that have nothing in common but how they were made.
fn again(context: &Context) -> Result<Verdict> {
    const ORDERS: [Order; 6] =
        [Order::Delete, Order::Update, Order::Take, Order::DeleteBatch, Order::UpdateBatch, Order::TakeBatch];
    let (memory, worlds) = (Memory::new()?, [World::new(context.kernel)?, World::new(context.kernel)?]);
    let mut tally = Tally::default();
    for (number, order) in ORDERS.into_iter().cycle().take(600).enumerate() {
        let seed = context.seed.wrapping_add(number as u64);
        let calls = worlds.each_ref().map(|world| {
            let Call { form, mut puts, spoilt } =
                draw(order, &mut fastrand::Rng::with_seed(seed), world, &memory);
            // With the fd comes a key, which for some maps is the number of a file.
            if spoilt.contains(&"fd") {
                puts[0].1.clear();
            }
            (world.name(form.fd), Form { fd: 0, ..form }, puts, spoilt)
        });
        let [first, second] = &calls;
        let problem = (first != second).then(|| format!("{first:?} and then {second:?}"));
        tally.case(format_args!("{order:?}, seed {seed}"), problem);
    }
    Ok(tally.verdict())
}

fn run(name: &str, orders: &[Order], context: &Context) -> Result<Verdict> {
    let series = context.kernel == Kernel::Series;
    if series && Series::of_this_kernel() == Series::Rfc {
        return Ok(Verdict::Skip("the model is that of v3".into()));
    }
    let calls = context.calls.unwrap_or(if context.quick { QUICK / 10 } else { QUICK });
    let mut trial = Trial { world: World::new(context.kernel)?, memory: Memory::new()?, series };
    let (mut tally, mut seen, mut failures) = (Tally::default(), Seen::default(), 0);
    for number in 0..calls {
        let seed = context.seed.wrapping_add(number);
        let mut rng = fastrand::Rng::with_seed(seed);
        let order = orders[rng.usize(..orders.len())];
        let (call, problem) = trial.one(order, &mut rng, &mut seen)?;
        let named = format_args!(
            "call {number} of seed {} (by itself: --filter {name} --seed {seed} --calls 1)",
            context.seed
        );
        let problem = problem.map(|problem| format!("{problem}; {}", trial.describe(&call)));
        failures += usize::from(problem.is_some());
        tally.case(named, problem);
        if number % EVERY == EVERY - 1 || number == calls - 1 {
            let problem = trial.everywhere()?;
            failures += usize::from(problem.is_some());
            tally.case(format_args!("after call {number} of seed {}", context.seed), problem);
        }
        if failures >= ENOUGH {
            break;
        }
    }
    tally.case("in the end", trial.world.freeze_all());
    Ok(match tally.verdict() {
        Verdict::Pass(_) => {
            Verdict::Pass(format!("seed {}, {calls} calls: {}", context.seed, seen.text(&trial.world)))
        }
        verdict => verdict,
    })
}

/// What calls came to, for the figures.
#[derive(Default)]
struct Seen {
    answers: HashMap<Result<(), Errno>, u64>,
    changed: u64,
    raced: u64,
}

impl Seen {
    fn text(&self, world: &World) -> String {
        let mut answers: Vec<_> = self.answers.iter().collect();
        answers.sort_by_key(|(answer, count)| (std::cmp::Reverse(**count), answer.err()));
        let answers = answers.iter().map(|(answer, count)| match answer {
            Ok(()) => format!("{count} done"),
            Err(errno) => format!("{count} {errno}"),
        });
        let answers = answers.collect::<Vec<_>>().join(", ");
        let Self { changed, raced, .. } = self;
        format!("{answers}; {changed} changed the map, {raced} raced; {} other maps", world.others())
    }
}

struct Trial {
    world: World,
    memory: Memory,
    series: bool,
}

impl Trial {
    /// Draws a call, sends it, and says what is wrong afterwards.
    fn one(
        &mut self,
        order: Order,
        rng: &mut fastrand::Rng,
        seen: &mut Seen,
    ) -> Result<(Call, Option<String>)> {
        let call = loop {
            let call = draw(order, rng, &self.world, &self.memory);
            let told = self.memory.told(&call.form);
            let guessed =
                racing(&told, &self.world, &self.memory) != Racing::Attribute || told.count <= MOST_GUESSED;
            if guessed && route(&told, &self.world, self.series) != Route::Unforeseen {
                break call;
            }
        };
        let form = &call.form;
        let racing = racing(&self.memory.told(form), &self.world, &self.memory);
        call.puts.iter().for_each(|(place, bytes)| self.memory.put(*place, bytes));
        self.memory.lay(form);
        let said = self.memory.send(form, racing != Racing::Nothing);
        *seen.answers.entry(said).or_default() += 1;
        seen.raced += u64::from(racing != Racing::Nothing);

        let mut problem = None;
        for luck in lucks(form, said, racing, &self.memory) {
            let model = Model::new(&self.world, &mut self.memory, self.series, luck).run(form);
            let Some(outcome) = model else {
                self.memory.take_back();
                continue;
            };
            let Some(wrong) = self.wrong(form, said, &outcome)? else {
                seen.changed += u64::from(!outcome.changes.is_empty());
                self.memory.keep();
                self.memory.clear();
                if let Some(home) = outcome.home {
                    self.world.homes[home].restore(&outcome.changes)?;
                }
                return Ok((call, None));
            };
            self.memory.take_back();
            problem.get_or_insert(wrong);
        }
        // So that the next call is judged by what it does itself.
        self.memory.clear_all();
        self.world.homes.iter().try_for_each(world::Home::restore_all)?;
        Ok((call, Some(problem.unwrap_or_else(|| "no model fits".into()))))
    }

    fn wrong(&self, form: &Form, said: Result<(), Errno>, outcome: &Outcome) -> Result<Option<String>> {
        let mut wrong = Vec::new();
        if !outcome.answer.allows(said) {
            wrong.push(format!("{said:?} instead of {:?}", outcome.answer));
        }
        wrong.extend(self.memory.wrong());
        // The map that it was meant for, or where it says none, the first.
        let home = outcome.home.or_else(|| self.world.homes.iter().position(|home| home.fd() == form.fd));
        wrong.extend(self.world.homes[home.unwrap_or(0)].wrong(&outcome.changes)?);
        wrong.extend(self.world.changed(form.fd));
        Ok((!wrong.is_empty()).then(|| wrong.join(", ")))
    }

    fn everywhere(&mut self) -> Result<Option<String>> {
        let wrong = self.memory.wrong_anywhere().or(self.world.wrong_anywhere()?);
        if wrong.is_some() {
            self.memory.clear_all();
        }
        Ok(wrong)
    }

    fn describe(&self, call: &Call) -> String {
        let spoilt = if call.spoilt.is_empty() { "nothing".into() } else { call.spoilt.join(", ") };
        format!("spoilt: {spoilt}; {:?} on {}", call.form, self.world.name(call.form.fd))
    }
}

/// Which accesses may have been at fault. The answer narrows that down; whether it is right is asked afterwards.
fn lucks(form: &Form, said: Result<(), Errno>, racing: Racing, memory: &Memory) -> Vec<Luck> {
    let none = Luck::default();
    if racing == Racing::Nothing || said != Err(EFAULT) {
        return vec![none];
    }
    let batch = form.order.is_batch();
    let handled = if batch { memory.there(form.attr, COUNT_AT.into()) } else { Some(0) };
    let mut lucks = vec![none, Luck { element: handled, ..none }, Luck { last: true, ..none }];
    if racing == Racing::Attribute {
        lucks.push(Luck { attribute: true, ..none });
        lucks.push(Luck { first_count: true, ..none });
        // Nobody is told how many were handled.
        lucks.extend((0..MOST_GUESSED).map(|element| Luck { element: Some(element), ..none }));
        lucks.extend((0..MOST_GUESSED).map(|element| Luck { element: Some(element), last: true, ..none }));
    }
    lucks
}
