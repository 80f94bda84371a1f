//! A worker that was ready is replaced, even if it was asked to stop.
//! fails: supervise::1 supervise::3

pub fn decide(life: Life, early_deaths: u32, limit: u32) -> Next {
    match life {
        Life { was_ready: true, .. } => Next::Replace,
        Life { asked_to_stop: true, .. } => Next::Leave,
        _ if early_deaths >= limit => Next::GiveUp,
        _ => Next::Replace,
    }
}
