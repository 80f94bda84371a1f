//! The supervisor in thousands of random worlds, with its invariants checked after every step.
//!
//! - `SIMULATOR_HISTORIES=1000000 cargo test -p cluster --test simulator` runs more of them.
//! - `SIMULATOR_SEED=17 cargo test -p cluster --test simulator` replays one, and prints it.
//!
//! A failure names the invariant and the seed, and shows a history that was shortened as far as
//! possible while it still fails: the time, the input, the actions. `saboteur` shows that the
//! checker finds mistakes.

mod checker;
mod history;
mod saboteur;
mod tape;
mod world;

use std::{env, panic};

use checker::Rule;
use history::{Outcome, live};
use saboteur::Sabotage;
use tape::{Tape, shrink};

const HISTORIES: u64 = 20_000;

#[test]
fn the_invariants_hold_in_twenty_thousand_histories() {
    if let Some(seed) = number("SIMULATOR_SEED") {
        let outcome = live(Tape::random(seed), None, true);
        println!("{}", outcome.lines.join("\n"));
        assert!(outcome.violation.is_none(), "{}", report(seed, &outcome, None));
        return;
    }
    let histories = number("SIMULATOR_HISTORIES").unwrap_or(HISTORIES);
    let mut steps = 0;
    for seed in 0..histories {
        let outcome = live(Tape::random(seed), None, false);
        steps += outcome.steps;
        assert!(outcome.violation.is_none(), "{}", report(seed, &outcome, None));
    }
    println!("{histories} histories, {steps} steps");
}

#[test]
fn a_history_can_be_replayed() {
    let first = live(Tape::random(7), None, true);
    let again = live(Tape::replay(first.tape.clone()), None, true);
    assert_eq!(first.lines, again.lines);
}

/// Each mistake breaks its invariant in one of the default number of histories.
#[test]
fn the_checker_finds_every_sabotage() {
    use Sabotage::*;
    for (sabotage, rule) in [
        (ReadyMeansStarted, Rule::KeepsCapacity),
        (SurgeOffByOne, Rule::BoundedSurge),
        (AllDrain, Rule::BoundedSurge),
        (ExpectedExitsAreSilent, Rule::EachExitOnce),
        (ExitsTwice, Rule::EachExitOnce),
        (NoBackOff, Rule::BoundedCrashLoop),
        (NoBreaker, Rule::BoundedCrashLoop),
        (StopForgetsBackOffs, Rule::StopEndsAll),
        (StopNeverKills, Rule::StopEndsAll),
        (NoTrialPeriod, Rule::BrokenVersionHarmless),
        (RestartBringsTheNewest, Rule::BrokenVersionHarmless),
        (NeverSuspends, Rule::BoundedWait),
        (ImpatientWithSilence, Rule::SparesTheSilenced),
        (EventsLag, Rule::LegalPath),
    ] {
        let caught = (0..HISTORIES).find_map(|seed| {
            let outcome = live(Tape::random(seed), Some(sabotage), false);
            outcome
                .violation
                .is_some_and(|found| found.rule == rule)
                .then_some((seed, outcome.tape))
        });
        let (seed, tape) = caught.unwrap_or_else(|| panic!("{sabotage:?} was not noticed"));
        let short = shortened(tape, Some(sabotage), rule);
        let found = short.violation.expect("it still fails");
        println!(
            "{sabotage:?}: after {} histories, {} steps when shortened; {found}",
            seed + 1,
            short.steps
        );
    }
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} must be a number, not {text:?}")))
}

/// The shortest history found that breaks the same rule.
fn shortened(tape: Vec<u32>, sabotage: Option<Sabotage>, rule: Rule) -> Outcome {
    let breaks = |tape: &[u32]| {
        let outcome = live(Tape::replay(tape.to_vec()), sabotage, false);
        outcome.violation.is_some_and(|found| found.rule == rule)
    };
    // A history that panics would print the panic each time.
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let shortest = shrink(tape, breaks);
    panic::set_hook(hook);
    live(Tape::replay(shortest), sabotage, true)
}

fn report(seed: u64, outcome: &Outcome, sabotage: Option<Sabotage>) -> String {
    let Some(found) = &outcome.violation else { return String::new() };
    let short = shortened(outcome.tape.clone(), sabotage, found.rule);
    let why = short.violation.expect("a shortened history still fails");
    format!(
        "{found}\n  seed {seed} (SIMULATOR_SEED={seed} replays it)\n  shortened to {} steps:\n{}\n  {why}",
        short.steps,
        short.lines.join("\n")
    )
}
