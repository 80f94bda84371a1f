//! The lesson, played by clients that never retry, while versions take over or are refused.

use std::collections::BTreeSet;
use std::env;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use lab::load::{Habit, Report, Seen};
use lab::raw::Reply;
use lab::{Answer, Load, Result, Service, Table};
use level_2::site::{By, Site, WHICH, version};

/// Most of these connections are idle when a reload starts, and none is idle for as long as the window.
const KEPT: Habit = Habit::KeepAlive(Duration::from_millis(200));
const CLIENTS: [(Habit, usize); 2] = [(Habit::Fresh, 2), (KEPT, 12)];

/// The versions, and the way that each is deployed; the last one needs some time to become ready.
const RELOADS: [(&str, By); 5] =
    [("2", By::Hup), ("3", By::Usr2), ("4", By::Api), ("5", By::Hup), ("6-slow", By::Api)];

pub fn play() -> Result<()> {
    let mut table = Table::default();
    let mut site = site(&[])?;
    good_versions(&mut table, &mut site)?;
    let slow = long_and_idle(&mut table, &mut site)?;
    refused(&mut table, &mut site, "8-broken", By::Api, "exited with code 1 before it was ready")?;
    let slow = slow.join().expect("a client does not panic");
    let held = slow.as_ref().is_ok_and(last_of_version_6);
    table.claim("a request in flight outlasts the reload", answered(slow), held);
    refused(&mut table, &mut site, "9-stuck", By::Hup, "not ready within 1s 500ms")?;
    drop(site);

    for (what, wrong) in [("all at once, by a timer", "all-at-once"), ("no window", "no-window")] {
        let (seen, _) = traffic(&mut self::site(&["--wrong", wrong])?, &RELOADS[..1])?;
        let (fresh, kept) = (lost(&seen, Habit::Fresh), lost(&seen, KEPT));
        let row = format!("1 reload lost {fresh} on fresh, {kept} on kept connections");
        table.note(format!("wrong: {what}"), row);
    }
    table.finish()
}

fn site(args: &[&str]) -> Result<Site> {
    Site::start(&env::current_exe()?, |command| {
        command.args(Service::options(args)).env("WORKER_READY_TIMEOUT", "1500ms");
    })
}

/// Deploys one version after another under load; returns the clients' report, and the end of the last.
fn traffic(site: &mut Site, versions: &[(&str, By)]) -> Result<(Report, Instant)> {
    let load = Load::start(&site.service.address().to_string(), WHICH, &CLIENTS);
    for (version, by) in versions {
        load.each_has(1)?;
        site.deploy(version)?;
        site.reload(*by)?;
    }
    let end = Instant::now();
    load.each_has(2)?;
    Ok((load.finish(), end))
}

fn good_versions(table: &mut Table, site: &mut Site) -> Result<()> {
    let (seen, end) = traffic(site, &RELOADS)?;
    let (answered, losses) = (seen.answers.len(), seen.losses.len());
    let what = format!("{losses} lost, {answered} answered, in {} reloads", RELOADS.len());
    table.claim("HUP, USR2, API: no request is lost", what, losses == 0);

    let versions: BTreeSet<&str> = seen.answers.iter().map(|it| version(&it.body)).collect();
    let wanted: BTreeSet<&str> = RELOADS.iter().map(|it| it.0).chain(["1"]).collect();
    let all = versions.iter().copied().collect::<Vec<_>>().join(" ");
    table.claim("every version has answered", all, versions == wanted);
    after_the_last(table, &seen, end);
    Ok(())
}

/// Checks that old versions only send a last answer, and only on connections that they already had.
fn after_the_last(table: &mut Table, seen: &Report, end: Instant) {
    let newest = RELOADS[RELOADS.len() - 1].0;
    let old = |it: &&Seen| it.sent > end && version(&it.body) != newest;
    let old = seen.answers.iter().filter(old);
    let (late, kept): (Vec<&Seen>, Vec<&Seen>) = old.partition(|it| it.opened > end);
    let what = format!("{} answers from an older version", late.len());
    table.claim("after the last reload: on new connections", what, late.is_empty());
    let closing = kept.iter().filter(|it| it.closes).count();
    let what = format!("{} last answers, {closing} with Connection: close", kept.len());
    table.claim("… and on connections from before", what, closing == kept.len());
}

/// Keeps a connection idle through a reload, and starts a request that takes longer; returns its client.
fn long_and_idle(table: &mut Table, site: &mut Site) -> Result<JoinHandle<Result<Answer>>> {
    let mut idle = site.service.connect()?;
    idle.get("/version")?;
    let slow = site.service.get_later("/slow?ms=6000");
    site.service.prints("begins a request of 6000 ms")?;
    site.deploy("7")?;
    site.reload(By::Hup)?;
    let (last, pending) = (idle.get("/version"), !slow.is_finished());
    let held = last.as_ref().is_ok_and(last_of_version_6);
    table.claim("an idle connection gets one more answer", answered(last), held);
    let new = site.service.get("/version")?;
    let held = pending && version(&new.body) == "7";
    let meanwhile = if pending { "" } else { ", but the slow request had ended" };
    table.claim("… while a new one gets the new version", answered(Ok(new)) + meanwhile, held);
    Ok(slow)
}

fn last_of_version_6(answer: &Answer) -> bool {
    version(&answer.body) == "6-slow" && answer.closes
}

fn answered(answer: Result<Answer>) -> String {
    let tell = |it: Answer| {
        let closes = if it.closes { ", Connection: close" } else { "" };
        format!("{}{closes}", it.body.trim())
    };
    answer.map_or_else(|error| error.to_string(), tell)
}

/// Deploys a version that is refused: the caller gets the reason, and the old workers keep serving.
fn refused(table: &mut Table, site: &mut Site, name: &str, by: By, why: &str) -> Result<()> {
    let load = Load::start(&site.service.address().to_string(), WHICH, &CLIENTS);
    load.each_has(1)?;
    site.deploy(name)?;
    let (end, reply) = site.reload(by)?;
    load.each_has(2)?;
    let seen = load.finish();
    let reason = end.split_once("failed: ").map_or(end.as_str(), |(_, reason)| reason);
    let answer = reply.as_ref().map_or(String::new(), |it| format!("{}, ", it.status));
    let way = if reply.is_some() { "API" } else { "SIGHUP" };
    let asked = reply.is_none_or(|it: Reply| it.status == 409 && it.body.contains(why));
    let held = end.contains(why) && asked;
    table.claim(format!("{name} is refused ({way})"), format!("{answer}{reason}"), held);
    let strange = seen.answers.iter().filter(|it| version(&it.body) != "7").count();
    let (answered, losses) = (seen.answers.len(), seen.losses.len());
    let what = format!("{losses} lost, {answered} answered, {strange} from another version");
    table.claim("… and the old version keeps serving", what, losses + strange == 0);
    Ok(())
}

fn lost(seen: &Report, habit: Habit) -> usize {
    seen.losses.iter().filter(|loss| loss.habit == habit).count()
}
