//! The lesson, played by a client: what it tells one worker, it asks of all of them.

use lab::Result;
use lab::{Client, Service, Table, wait_for};

pub fn play() -> Result<()> {
    let mut table = Table::default();
    let mut service = Service::start_several(&[])?;

    let greeted = greet(&mut service);
    table.claim_ok("what one worker hears, all of them say", &greeted, |n| format!("{n} workers"));

    if greeted.is_err() {
        return table.finish(); // what follows asks through greetings
    }

    let heard = burst(&service)?;
    table.claim("1000 messages in odd pieces arrive", heard.to_string(), heard == 1000);

    service.get("/garbage")?;
    let told = service.hears("not a message");
    table.claim_ok("what is no message is told and skipped", &told, Clone::clone);

    let endless = Service::start_several(&[])?;
    let _ = endless.get("/endless"); // its worker may be gone before it can answer
    let told = endless
        .hears("without an end, closing its channel")
        .and_then(|told| endless.hears("exited with code 1").and(endless.get("/")).and(Ok(told)));
    table.claim_ok("a message without an end costs its sender", &told, Clone::clone);

    let workers = service.workers()?.len();
    let cut = service.get("/die").is_err(); // the answer died with the worker
    let told = service.hears("12 bytes into a message").and_then(|_| service.hears("exited"));
    table.claim_ok("a worker that dies half-way is told", &told, Clone::clone);
    let left = service.workers()?;
    let answers = service.all_answer(&left)?;
    let others = cut && answers.len() == workers - 1 && !answers.is_empty();
    table.claim("and the others go on", format!("{answers:?}"), others);

    let heard = burst(&Service::start(&["--wrong", "one-read-one-message"])?)?;
    table.note("wrong: one read is one message", format!("{heard} of 1000 arrive"));
    let wrong = Service::start(&["--wrong", "own-memory"])?;
    wrong.get("/greet?text=Hola")?;
    let replies = wrong.get_at_once(50, "/")?;
    let hola = replies.iter().filter(|reply| reply.body.starts_with("Hola")).count();
    table.note("wrong: a worker tells nobody", format!("{hola} of 50 answers say Hola"));
    table.finish()
}

/// Tells one worker, and waits until every worker says it.
fn greet(service: &mut Service) -> Result<usize> {
    service.get("/greet?text=Hola")?;
    let workers = service.workers()?;
    let mut convinced = Vec::new();
    wait_for("every worker to say Hola", || {
        let replies = service.get_at_once(16, "/").ok()?;
        let hola = replies.iter().filter(|reply| reply.body.starts_with("Hola"));
        convinced.extend(hola.filter_map(|reply| reply.worker().ok()));
        workers.iter().all(|worker| convinced.contains(worker)).then_some(workers.len())
    })
}

/// Has one worker send a thousand statuses, and learns from it how many the primary has heard. All
/// of this goes through one worker, so its order is kept.
fn burst(service: &Service) -> Result<u64> {
    let mut client = service.connect()?;
    client.get("/burst")?;
    wait_for("the primary to answer", || heard(&mut client).transpose())?
}

fn heard(client: &mut Client) -> Result<Option<u64>> {
    client.get("/greet?text=Done")?;
    let reply = client.get("/")?.body;
    let heard = reply.split(['(', ' ']).filter_map(|word| word.parse().ok()).nth(1);
    Ok(heard.filter(|_| reply.starts_with("Done")))
}
