//! The lesson, played by a client that has a connection to each worker.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use lab::{Client, Result, Table, ms, wait_for};

use crate::messages::LONGEST;
use crate::room::{Room, notices};
use crate::wrong;

/// The number of notices that each of two clients sends while the other one does the same.
const EACH: usize = 100;

pub fn play() -> Result<()> {
    let mut table = Table::default();
    let mut room = Room::open(&[])?;
    room.say("We close at ten")?;
    let known = room.all_know("We close at ten");
    table.claim_ok("a notice to one worker reaches all", &known, |n| format!("{n} of 4 workers"));
    if known.is_err() {
        return table.finish(); // the other claims need the same
    }
    sent_by_two(&mut table, &mut room)?;
    born_later(&mut table, &mut room)?;
    if !deaf(&mut table, &mut room)? {
        return table.finish(); // two do not listen, and the question waits for them forever
    }
    nonsense(&mut table, &mut room)?;
    wrong::versions(&mut table)?;
    table.finish()
}

fn sent_by_two(table: &mut Table, room: &mut Room) -> Result<()> {
    let sent: Result<Vec<()>> = thread::scope(|scope| {
        let two = room.clients.values_mut().zip(["a", "b"]).map(|(client, name)| {
            scope.spawn(move || {
                (0..EACH).try_for_each(|n| client.post("/say", &format!("{name}{n}")).map(drop))
            })
        });
        let two: Vec<_> = two.collect(); // both have begun
        two.into_iter().map(|one| one.join().expect("a client does not panic")).collect()
    });
    sent?;
    room.say("That was all")?;
    room.all_know("That was all")?;
    let boards = room.boards()?;
    let texts: Vec<&str> = boards[0].lines().filter_map(|line| line.split(": ").nth(1)).collect();
    let in_order = |name| {
        let mut own = texts.iter().filter(|text| text.starts_with(name));
        (0..EACH).all(|n| own.next() == Some(&&*format!("{name}{n}"))) && own.next().is_none()
    };
    let held = in_order("a") && in_order("b") && texts.len() == 2 * EACH + 2;
    let seen = format!("{} notices", texts.len());
    table.claim("two send at once: each in order, nothing twice", seen, held);
    let same = boards.iter().filter(|board| **board == boards[0]).count();
    table.claim("and all boards have the same order", format!("{same} of 4"), same == 4);
    Ok(())
}

fn born_later(table: &mut Table, room: &mut Room) -> Result<()> {
    let newcomer = room.replace_one()?;
    let known = notices(room.clients.get_mut(&newcomer).ok_or("it was connected")?)?;
    let boards = room.boards()?;
    let all = boards.iter().map(|board| board.lines().count()).max().unwrap_or_default();
    let seen = format!("worker {newcomer} knows {} of {all}", known.lines().count());
    let held = boards.iter().all(|it| *it == known);
    table.claim("a new worker asks for the earlier notices", seen, held);
    Ok(())
}

/// Makes two workers deaf and asks all of them: shows the cost, and for which workers.
fn deaf(table: &mut Table, room: &mut Room) -> Result<bool> {
    let mut deaf = BTreeMap::new();
    for _ in 0..2 {
        let (pid, mut client) = room.clients.pop_last().ok_or("four were connected")?;
        client.get("/deaf")?;
        deaf.insert(pid, client);
    }
    let question = room.ask()?;
    let asked = Instant::now();
    room.say("Meanwhile")?;
    let n = room.all_know("Meanwhile")?;
    let seen = format!("{n} workers, after {}", ms(asked.elapsed()));
    let ended = wait_for("the answer", || question.is_finished().then_some(()));
    // The primary's own words, and so their order, come from one process.
    let held = room.came_before("\"Meanwhile\"", "workers have answered");
    table.claim("while deaf ones are asked, notices still arrive", seen, held);
    if ended.is_err() {
        table.claim_ok("the question ends", &ended, |()| String::new());
        return Ok(false);
    }
    let (answer, took) = question.join().expect("a client does not panic")?;
    answered(table, room, &deaf, &answer.body, took);

    for client in deaf.values_mut() {
        client.get("/listen")?;
    }
    room.clients.extend(deaf);
    let known = room.all_know("Meanwhile");
    table.claim_ok("a worker that listens again gets it", &known, |n| format!("{n} of 4 workers"));
    Ok(true)
}

fn answered(
    table: &mut Table,
    room: &Room,
    deaf: &BTreeMap<i32, Client>,
    answer: &str,
    took: Duration,
) {
    let said = |pid: &&i32, what| answer.contains(&format!("worker {pid} {what}"));
    let well = room.clients.keys().filter(|pid| said(pid, "is well")).count();
    let silent = deaf.keys().filter(|pid| said(pid, "gives no answer")).count();
    table.claim("the question ends", "with an answer", true);
    let seen = format!("{well} of 4 answered, {silent} named as silent");
    table.claim("a deaf worker costs its own answer", seen, (well, silent) == (2, 2));
    let asked = |pid: &&i32| room.came_before(&format!("asks worker {pid}"), "gives no answer");
    let first = room.clients.keys().chain(deaf.keys()).filter(asked).count();
    let seen = format!("{first} of 4 asked before one is found silent");
    table.claim("all are asked first: the limit is paid once", seen, first == 4);
    table.note("two deaf ones, with a limit of 1 s each, cost", ms(took));
}

/// Sends unknown and too large messages: the sender gets the reason, and all workers survive.
fn nonsense(table: &mut Table, room: &mut Room) -> Result<()> {
    let workers = room.service.workers()?;
    let client = room.clients.values_mut().next().ok_or("four were connected")?;
    let answers = [
        ("an unknown message is refused", client.get("/garbage")?, "unknown variant"),
        ("so is one beyond the frame", client.post("/say", &"x".repeat(2 << 20))?, "too large"),
        (
            "and one too long for the board",
            client.post("/say", &"x".repeat(LONGEST + 1))?,
            "at most",
        ),
    ];
    for (claim, answer, why) in answers {
        let (_, seen) = answer.body.trim().split_once(": ").unwrap_or_default();
        table.claim(
            claim,
            format!("{seen:.60}"),
            answer.status == 502 && answer.body.contains(why),
        );
    }
    let passed = room.service.prints_times("ignores an unknown message", 3).is_ok();
    room.say("All well")?;
    let n = room.all_know("All well")?;
    let held = passed && room.service.workers()? == workers;
    table.claim("no worker dies of it", format!("{n} of 4 workers"), held);
    Ok(())
}
