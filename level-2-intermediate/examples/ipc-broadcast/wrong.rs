//! The wrong versions in the demo, and what they cost.

use std::time::Instant;

use lab::{Result, Table, ms, wait_for};

use crate::LIMIT;
use crate::room::{Question, Room, notices};

pub fn versions(table: &mut Table) -> Result<()> {
    let mut wrong = Room::open(&["--wrong", "own-memory"])?;
    wrong.say("News")?;
    let know = wrong.boards()?.iter().filter(|board| board.contains("News")).count();
    table.note("wrong: own memory", format!("{know} of 4 workers know"));

    let mut wrong = Room::open(&["--wrong", "born-ignorant"])?;
    wrong.say("News")?;
    let newcomer = wrong.replace_one()?;
    let known = notices(wrong.clients.get_mut(&newcomer).ok_or("it was connected")?)?;
    let known = known.lines().count();
    table.note("wrong: born ignorant", format!("the newcomer knows {known} of 1"));

    let (wrong, question) = asks_a_deaf_one("no-limit")?;
    let asked = Instant::now();
    wait_for("twice the limit", || (asked.elapsed() > 2 * LIMIT).then_some(()))?;
    let open = if question.is_finished() { "answered" } else { "no answer" };
    table.note("wrong: no limit", format!("{open} after {}", ms(asked.elapsed())));
    drop(wrong);

    let (mut wrong, _question) = asks_a_deaf_one("ask-in-turn")?;
    let begun = Instant::now();
    wrong.say("News")?;
    table.note("wrong: ask in turn", format!("a notice waits for {}", ms(begun.elapsed())));
    Ok(())
}

/// Makes one worker deaf, and asks all workers how they are.
fn asks_a_deaf_one(wrong: &str) -> Result<(Room, Question)> {
    let mut room = Room::open(&["--wrong", wrong])?;
    let (_, mut deaf) = room.clients.pop_last().ok_or("four were connected")?;
    deaf.get("/deaf")?;
    let question = room.ask()?;
    Ok((room, question))
}
