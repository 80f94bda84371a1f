//! The lesson, played by a client: it reads the results of the example, and checks the rest
//! itself.

use lab::Result;
use lab::{Service, Table, proc};
use nix::sys::signal::Signal;

pub fn play() -> Result<()> {
    let mut table = Table::default();
    let mut service = Service::begin(&[])?;
    service.ready_or_over()?;

    for (claim, words) in [
        ("an exit code is read by the parent", "exited with code 0"),
        ("only its low 8 bits arrive: 300 is 44", "exited with code 44"),
        ("a death by signal is shown as one", "was killed by SIGKILL"),
        ("a zombie stays until it is waited for", "its state in /proc is Z"),
        ("SIGKILL does not end a zombie", "got SIGKILL, its state in /proc is Z"),
    ] {
        let line = service.prints(words);
        table.claim_ok(claim, &line, Clone::clone);
    }

    let zombies = proc::zombies(service.primary())?;
    table.claim("none is left at the end", format!("{zombies:?}"), zombies.is_empty());

    let line = service.prints("3 memory:")?;
    let words: Vec<&str> = line.split([' ', ',']).collect();
    let after = |word| words.iter().skip_while(|w| **w != word).nth(1).copied().unwrap_or_default();
    let at = |word| words.iter().skip_while(|w| **w != word).nth(3).copied().unwrap_or_default();
    let values = format!("{} in the child, {} in the parent", after("counted"), after("has"));
    table.claim(
        "a forked counter is a copy",
        &values,
        values == "42 in the child, 1 in the parent",
    );
    let same = at("counted") == at("has");
    table.claim("though it has one address", at("counted"), same && at("has").starts_with("0x"));

    let arrived = service.prints("listens on");
    table.claim_ok("one socket survives the exec", &arrived, Clone::clone);
    if arrived.is_ok() {
        let worker = service.get("/")?.worker()?;
        let same = proc::program(worker)? == proc::program(service.primary())?;
        table.claim("the worker is the same program", format!("pid {worker}"), same);
    }
    let clean = service.end(Signal::SIGTERM);
    let seen = clean.as_ref().map_or_else(ToString::to_string, ToString::to_string);
    table.claim("SIGTERM ends everything", seen, clean.is_ok_and(|status| status.success()));

    let wrong = Service::start(&["--wrong", "no-reap"])?;
    let zombies = proc::zombies(wrong.primary())?;
    table.note("wrong: the parent does not wait", format!("zombies: {zombies:?}"));
    let wrong = Service::begin(&["--wrong", "close-on-exec"])?;
    table.note("wrong: the socket is close-on-exec", wrong.prints("did not arrive")?);
    table.finish()
}
