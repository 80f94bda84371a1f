//! The lesson, played by a client: it sends a greeting to one worker, and expects it from all.

use lab::Result;
use lab::{Client, Service, Table, wait_for};

pub fn play() -> Result<()> {
    let mut table = Table::default();
    let mut service = Service::start_several(&[])?;

    let greeted = greet(&mut service);
    table.claim_ok("one worker's greeting reaches all of them", &greeted, |n| {
        format!("{n} workers")
    });

    if greeted.is_err() {
        return table.finish(); // the rest of the demo needs greetings
    }

    let arrived = burst(&service)?;
    table.claim("1000 messages in odd pieces arrive", arrived.to_string(), arrived == 1000);

    service.get("/garbage")?;
    let skipped = service.prints("not a message");
    table.claim_ok("a line that is not a message is skipped", &skipped, Clone::clone);

    let endless = Service::start_several(&[])?;
    let _ = endless.get("/endless"); // its worker may be gone before it can answer
    let closed = endless
        .prints("without an end, closing its channel")
        .and_then(|line| endless.prints("exited with code 1").and(endless.get("/")).and(Ok(line)));
    table.claim_ok("a message without an end costs its sender", &closed, Clone::clone);

    let workers = service.workers()?.len();
    let cut = service.get("/die").is_err(); // the answer died with the worker
    let reported = service.prints("12 bytes into a message").and_then(|_| service.prints("exited"));
    table.claim_ok("a worker that dies half-way is reported", &reported, Clone::clone);
    let left = service.workers()?;
    let answers = service.all_answer(&left)?;
    let others = cut && answers.len() == workers - 1 && !answers.is_empty();
    table.claim("and the others go on", format!("{answers:?}"), others);

    let arrived = burst(&Service::start(&["--wrong", "one-read-one-message"])?)?;
    table.note("wrong: one read is one message", format!("{arrived} of 1000 arrive"));
    let wrong = Service::start(&["--wrong", "own-memory"])?;
    wrong.get("/greet?text=Hola")?;
    let replies = wrong.get_at_once(50, "/")?;
    let hola = replies.iter().filter(|reply| reply.body.starts_with("Hola")).count();
    table.note("wrong: a worker sends no message", format!("{hola} of 50 answers say Hola"));
    table.finish()
}

/// Sends a greeting to one worker, and waits until every worker says it.
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

/// Has one worker send a thousand statuses, and learns from it how many the primary has counted. All
/// of this goes through one worker, so the order is kept.
fn burst(service: &Service) -> Result<u64> {
    let mut client = service.connect()?;
    client.get("/burst")?;
    wait_for("the primary to answer", || counted(&mut client).transpose())?
}

fn counted(client: &mut Client) -> Result<Option<u64>> {
    client.get("/greet?text=Done")?;
    let reply = client.get("/")?.body;
    let counted = reply.split(['(', ' ']).filter_map(|word| word.parse().ok()).nth(1);
    Ok(counted.filter(|_| reply.starts_with("Done")))
}
