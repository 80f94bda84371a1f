//! The readings that the demo takes from the timeline.

use std::collections::BTreeSet;

use lab::Service;

/// One line of the timeline that is about a slot.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    /// Milliseconds since the program was started.
    pub at: f64,
    pub slot: u32,
    pub what: String,
}

/// A wait, as it was reported: by the library, or (in a wrong version) by a worker.
pub struct Wait {
    pub slot: u32,
    pub ms: f64,
    /// The number of early deaths in a row before it.
    pub failures: u32,
}

/// All moments so far.
pub fn moments(service: &Service) -> Vec<Moment> {
    service.narration().iter().filter_map(|line| moment(line)).collect()
}

/// The moments of one slot, from its first one that begins with `with`.
pub fn since(service: &Service, slot: u32, with: &str) -> Vec<Moment> {
    let mine = moments(service).into_iter().filter(|moment| moment.slot == slot);
    mine.skip_while(|moment| !moment.what.starts_with(with)).collect()
}

/// `4242 primary:    0.214 s  slot 1     4243  is started`
fn moment(line: &str) -> Option<Moment> {
    let (_, rest) = line.split_once(" primary: ")?;
    let (at, rest) = rest.split_once(" s  slot ")?;
    let (slot, rest) = rest.split_once(char::is_whitespace)?;
    let what = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ').to_owned();
    Some(Moment { at: at.trim().parse::<f64>().ok()? * 1e3, slot: slot.parse().ok()?, what })
}

/// All waits so far, in lines that contain `by`.
pub fn waits(service: &Service, by: &str) -> Vec<Wait> {
    service
        .narration()
        .iter()
        .filter(|line| line.contains(by))
        .filter_map(|line| wait(line))
        .collect()
}

fn wait(line: &str) -> Option<Wait> {
    let (before, after) = line.split_once("waits ")?;
    let (ms, failures) = after.split_once(" ms after early death ")?;
    let slot = before.split_once("slot ")?.1.split_whitespace().next()?;
    let (slot, ms, failures) = (slot.parse().ok()?, ms.parse().ok()?, failures.parse().ok()?);
    Some(Wait { slot, ms, failures })
}

/// The largest number of slots in one round whose delays are equal, to the millisecond.
pub fn herd(waits: &[Wait]) -> usize {
    let together = |first: &Wait| {
        let same_round = waits.iter().filter(|other| other.failures == first.failures);
        let near = same_round.filter(|other| (first.ms..=first.ms + 1.0).contains(&other.ms));
        near.map(|other| other.slot).collect::<BTreeSet<_>>().len()
    };
    waits.iter().filter(|wait| wait.failures > 0).map(together).max().unwrap_or(0)
}

/// A wait: its announced length, and its real length, from a moment just before it.
pub struct Pause {
    pub ms: f64,
    pub took: f64,
}

/// The pauses of one slot whose workers exit after a refusal. The time from the line of the refusal to
/// the next start is never less than the wait, even on a busy machine: the primary answers only after it
/// has printed the line, and the worker exits after the answer.
pub fn pauses(moments: &[Moment]) -> Vec<Pause> {
    let (mut refused, mut wait, mut found) = (None, None, Vec::new());
    for Moment { at, what, .. } in moments {
        if what.starts_with("is refused") {
            refused = Some(*at);
        } else if let Some((ms, _)) =
            what.strip_prefix("waits ").and_then(|it| it.split_once(" ms"))
        {
            wait = ms.parse().ok();
        } else if what == "is started"
            && let (Some(refused), Some(ms)) = (refused.take(), wait.take())
        {
            found.push(Pause { ms, took: at - refused });
        }
    }
    found
}
