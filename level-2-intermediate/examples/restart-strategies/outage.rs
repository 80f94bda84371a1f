//! The demo's outages: the only worker is gone, the database comes back, and no human helps.

use lab::{Result, Service, Table, wait_for};

use crate::chronicle::{Moment, since};
use crate::policy::LIMIT;

const ONE: [&str; 4] = ["--workers", "1", "--strategy", "breaker"];
/// An errored slot is tried every 6 s, instead of 30 s: still longer than clients may wait.
const SIX_SECONDS: [(&str, &str); 2] =
    [("WORKER_MIN_UPTIME", "1ms"), ("WORKER_RESTART_DELAY_MAX", "6s")];

pub fn outages(table: &mut Table) -> Result<()> {
    let service = Service::start_with(&SIX_SECONDS, &ONE)?;
    crash_and_fail(&service, 2)?;
    let answer = service.get("/").map(|answer| answer.status);
    table.claim_ok("no worker for a moment: clients wait", &answer, ToString::to_string);

    crash_and_fail(&service, LIMIT)?;
    service.prints("connections are refused until one is")?;
    let refused = service.get("/").map_or_else(|why| why.to_string(), |it| it.body);
    let held = refused.contains("refused");
    table.claim("no worker for long: clients are refused", refused, held);

    let ready = || Some(since(&service, 0, "is errored")).filter(|it| it.len() > 2);
    // Six seconds may be longer than the laboratory waits for a fact (LAB_PATIENCE).
    let back = wait_for("a worker", ready).or_else(|_| wait_for("a worker", ready))?;
    let what: Vec<&str> = back.iter().map(|moment| moment.what.as_str()).collect();
    let held = what[1..] == ["is started", "is ready"];
    table.claim("the database is back: so is the slot, by itself", after(&back), held);
    let status = service.get("/status")?.body.trim().to_owned();
    table.claim("and clients are answered again", &status, status.contains("1 ready, 0 errored"));
    Ok(())
}

/// The only worker crashes, and `starts` of its successors cannot start.
fn crash_and_fail(service: &Service, starts: u32) -> Result<()> {
    service.connect()?.post(&format!("/break?times={starts}"), "")?;
    let _ = service.get("/crash?code=3"); // a worker that crashes does not answer
    Ok(())
}

/// The moments after the first, each with its time since the first.
fn after(moments: &[Moment]) -> String {
    let since = |moment: &Moment| format!("{} +{:.0} ms", moment.what, moment.at - moments[0].at);
    moments[1..].iter().map(since).collect::<Vec<_>>().join("; ")
}
