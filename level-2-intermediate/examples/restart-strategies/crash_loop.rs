//! The demo's crash loop: from the first death to the repair.

use std::time::Instant;

use lab::{Result, Service, Table, wait_for};

use crate::chronicle::{Moment, Wait, pauses, since, waits};
use crate::demo::{AT_ONCE, THREE, what_follows};
use crate::outage::outages;
use crate::policy::{LIMIT, Strategy, delay};

/// The timeline shows milliseconds: two of its times may be too close to each other by this much.
const ROUNDED: f64 = 1.0;

/// Lets no worker start from now on, and crashes one: returns its slot, and the time of the request.
pub fn begin_loop(service: &Service) -> Result<(u32, Instant)> {
    service.connect()?.post("/break", "")?;
    let asked = Instant::now();
    let _ = service.get("/crash?code=3");
    let first = wait_for("a crash", || what_follows(service, "crashed"))?.0;
    Ok((first.slot, asked))
}

pub fn starts(service: &Service, slot: u32) -> usize {
    since(service, slot, "crashed").iter().filter(|moment| moment.what == "is started").count()
}

pub fn crash_loop(table: &mut Table) -> Result<()> {
    let service = Service::start_with(&AT_ONCE, &THREE)?;
    let (slot, _) = begin_loop(&service)?;
    let errored = || !since(&service, slot, "is errored").is_empty();
    let limit = LIMIT as usize;
    wait_for("the limit of early deaths", || {
        (errored() || starts(&service, slot) > 2 * limit).then_some(())
    })?;
    let seen = starts(&service, slot);
    print_loop(table, &since(&service, slot, "crashed"));
    let row = format!("{seen} starts, {}", if errored() { "then errored" } else { "and no end" });
    table.claim("a crash loop is slowed down and reported", row, errored() && seen == limit);
    if !errored() {
        return Ok(());
    }
    compare_with_the_page(table, &service, slot);
    repair(table, &service, slot)?;
    outages(table)
}

/// Compares the waits of the library with the rule of `policy.rs`.
fn compare_with_the_page(table: &mut Table, service: &Service, slot: u32) {
    let waits = waits(service, " primary: "); // in a wrong version workers wait, too
    let rule = |wait: &Wait| delay(Strategy::Breaker, wait.failures, 1.0);
    let fits = |wait: &&Wait| wait.ms <= rule(wait).as_secs_f64() * 1e3;
    let within = waits.iter().filter(fits).count();
    let seen = format!("{within} of {} waits", waits.len());
    table.claim("each wait is one that policy.rs allows", seen, within + 1 == LIMIT as usize);
    let pauses = pauses(&since(service, slot, "crashed"));
    let kept = pauses.iter().filter(|it| it.took + ROUNDED >= it.ms).count();
    let (short, long) = pauses.iter().fold((0.0, 0.0), |(a, b), it| (a + it.ms, b + it.took));
    let seen = format!("{kept} of {} waits; {short:.0} ms, took {long:.0} ms", pauses.len());
    table.claim("no worker starts before its wait is over", seen, kept == waits.len());
}

fn repair(table: &mut Table, service: &Service, slot: u32) -> Result<()> {
    let status = service.get("/status")?.body.trim().to_owned();
    table.claim("the others keep serving", &status, status.contains("2 ready, 1 errored"));
    service.connect()?.post("/repair", "")?;
    service.connect()?.post(&format!("/reset?slot={slot}"), "")?;
    wait_for("a worker in that slot", || {
        since(service, slot, "is errored").into_iter().find(|moment| moment.what == "is ready")
    })?;
    let status = service.get("/status")?.body.trim().to_owned();
    table.claim("repaired and reset, it is back", &status, status.contains("3 ready, 0 errored"));
    Ok(())
}

/// The loop, one row for each start.
fn print_loop(table: &mut Table, moments: &[Moment]) {
    let Some(begin) = moments.first() else { return };
    for life in moments.split(|moment| moment.what == "is started").take(LIMIT as usize + 1) {
        let Some(first) = life.first() else { continue };
        let events: Vec<&str> = life.iter().map(|moment| moment.what.as_str()).collect();
        table.note(
            format!("  +{:.0} ms  slot {}", first.at - begin.at, first.slot),
            events.join("; "),
        );
    }
}
