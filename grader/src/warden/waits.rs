//! The places where the processes of a check are waiting, as far as the system shows them.

use serde::{Deserialize, Serialize};

use super::tree::Tree;
use crate::proc::{self, Descriptor, Sleep};
use crate::wire::{Finding, Value};

/// One process, and where it is waiting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// The process.
    pub pid: i32,
    /// The place.
    pub on: On,
}

/// The place where a process is waiting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum On {
    /// In waitpid: for a child, or for any.
    Child(Option<i32>),
    /// In a read from a pipe; these processes have its write end.
    PipeRead(i32, Vec<i32>),
    /// In a write to a pipe that is full; these processes have its read end.
    PipeWrite(i32, Vec<i32>),
    /// At a gate of the grader.
    Gate,
    /// In accept.
    Accept(i32),
    /// In another call on a descriptor: the call, the number, and what it is.
    Descriptor(String, i32, String),
    /// In another call.
    Call(String),
    /// It is sleeping, and nothing more can be seen.
    Somewhere,
    /// It is not waiting but running.
    Nothing,
    /// It was stopped by a signal.
    Stopped,
    /// It has ended, and has not been reaped.
    Zombie,
}

/// The places where the processes in `tree` are waiting.
#[must_use]
pub fn waits(tree: &Tree) -> Vec<Wait> {
    let all: Vec<(i32, Vec<Descriptor>)> =
        tree.iter().map(|(pid, _)| (pid, proc::descriptors(pid))).collect();
    tree.iter().map(|(pid, sight)| Wait { pid, on: on(pid, sight.state, &all) }).collect()
}

fn on(pid: i32, state: char, all: &[(i32, Vec<Descriptor>)]) -> On {
    match state {
        'Z' => return On::Zombie,
        'T' => return On::Stopped,
        'R' => return On::Nothing,
        _ => {}
    }
    let (call, first) = match proc::sleeps_in(pid) {
        Sleep::Runs => return On::Nothing,
        Sleep::In(call, first) => (call, first),
        Sleep::Unseen => return On::Somewhere,
    };
    let Some(name) = proc::call_name(call) else { return On::Call(format!("{call}")) };
    #[allow(clippy::cast_possible_truncation)] // a pid or a descriptor in a register
    let first = first as i32;
    match name {
        "waitpid" => On::Child((first > 0).then_some(first)),
        "waitid" => On::Child(None),
        "accept" => On::Accept(first),
        "read" | "write" | "recv" | "send" | "recvmsg" => on_descriptor(pid, name, first, all),
        _ => On::Call(name.to_owned()),
    }
}

fn on_descriptor(pid: i32, call: &str, number: i32, all: &[(i32, Vec<Descriptor>)]) -> On {
    let mine = all.iter().find(|(other, _)| *other == pid);
    let mine = mine.and_then(|(_, open)| open.iter().find(|one| one.number == number));
    let Some(mine) = mine else { return On::Call(call.to_owned()) };
    let is_other_end = |one: &Descriptor| one.inode == mine.inode && one.writes != mine.writes;
    let has_other_end = |(_, open): &&(i32, Vec<Descriptor>)| open.iter().any(is_other_end);
    let holders = all.iter().filter(has_other_end).map(|(pid, _)| *pid).collect();
    match (mine.kind.as_str(), mine.writes) {
        ("pipe", false) => On::PipeRead(number, holders),
        ("pipe", true) => On::PipeWrite(number, holders),
        ("eventfd", _) => On::Gate,
        (kind, _) => On::Descriptor(call.to_owned(), number, kind.to_owned()),
    }
}

impl Wait {
    /// The same as a finding, to be put into words.
    #[must_use]
    pub fn finding(&self) -> Finding {
        let about = |id: &str| Finding::new(id).with("pid", Value::Pids(vec![self.pid]));
        match &self.on {
            On::Child(None) => about("waits-child"),
            On::Child(Some(child)) => about("waits-for").with("child", Value::Pids(vec![*child])),
            On::PipeRead(number, holders) => about("waits-read")
                .with("number", *number)
                .with("holders", Value::Pids(holders.clone())),
            On::PipeWrite(number, holders) => about("waits-write")
                .with("number", *number)
                .with("holders", Value::Pids(holders.clone())),
            On::Gate => about("waits-gate"),
            On::Accept(number) => about("waits-accept").with("number", *number),
            On::Descriptor(call, number, kind) => about("waits-descriptor")
                .with("call", call.as_str())
                .with("number", *number)
                .with("kind", kind.as_str()),
            On::Call(call) => about("waits-call").with("call", call.as_str()),
            On::Somewhere => about("waits-somewhere"),
            On::Nothing => about("waits-not"),
            On::Stopped => about("is-stopped"),
            On::Zombie => about("is-zombie"),
        }
    }
}

/// The reason why no process continues: the id of the explanation that best fits where they are
/// waiting.
#[must_use]
pub fn why_stuck(waits: &[Wait], check: i32) -> &'static str {
    let of = |pid: i32| waits.iter().find(|wait| wait.pid == pid).map(|wait| &wait.on);
    let any = |is: &dyn Fn(&Wait) -> bool| waits.iter().any(is);
    if any(&|wait| wait.on == On::Stopped) {
        return "stuck-stopped";
    }
    if any(&|wait| matches!(&wait.on, On::PipeRead(_, ends) if ends.contains(&wait.pid))) {
        return "stuck-own-end";
    }
    if matches!(of(check), Some(On::Accept(_))) {
        return "stuck-accept";
    }
    let waits_for_child = matches!(of(check), Some(On::Child(_)));
    let full = any(&|wait| wait.pid != check && matches!(wait.on, On::PipeWrite(..)));
    if full {
        return if waits_for_child { "stuck-full-pipe" } else { "stuck-sibling-ends" };
    }
    let at_gate = any(&|wait| wait.on == On::Gate);
    match of(check) {
        Some(On::Child(None)) => "stuck-any-child",
        Some(On::Child(_) | On::PipeRead(..)) if at_gate => "stuck-at-gate",
        Some(On::Child(_)) => "stuck-worker-stays",
        Some(On::Call(call)) if call == "sleep" => "stuck-asleep",
        _ => "stuck",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(waits: &[(i32, On)]) -> &'static str {
        let waits: Vec<Wait> =
            waits.iter().map(|(pid, on)| Wait { pid: *pid, on: on.clone() }).collect();
        why_stuck(&waits, 1)
    }

    #[test]
    fn the_explanation_follows_from_where_processes_wait() {
        assert_eq!(why(&[(1, On::PipeRead(5, vec![1])), (2, On::Zombie)]), "stuck-own-end");
        assert_eq!(
            why(&[(1, On::Child(Some(2))), (2, On::PipeWrite(5, vec![1]))]),
            "stuck-full-pipe"
        );
        let siblings = [(1, On::PipeRead(5, vec![3])), (3, On::PipeWrite(7, vec![1]))];
        assert_eq!(why(&siblings), "stuck-sibling-ends");
        assert_eq!(why(&[(1, On::Child(None)), (2, On::Gate)]), "stuck-any-child");
        assert_eq!(why(&[(1, On::Child(Some(2))), (2, On::Gate)]), "stuck-at-gate");
        assert_eq!(why(&[(1, On::PipeRead(5, vec![2])), (2, On::Gate)]), "stuck-at-gate");
        let stays = [(1, On::Child(Some(2))), (2, On::Call("sigwait".to_owned()))];
        assert_eq!(why(&stays), "stuck-worker-stays");
        assert_eq!(why(&[(1, On::Accept(3)), (2, On::Gate)]), "stuck-accept");
        assert_eq!(why(&[(1, On::Stopped), (2, On::Gate)]), "stuck-stopped");
        assert_eq!(why(&[(1, On::Call("sleep".to_owned()))]), "stuck-asleep");
        assert_eq!(why(&[(1, On::Somewhere)]), "stuck");
    }
}
