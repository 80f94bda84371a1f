//! The supervisor gives up one death after the limit.
//! fails: supervise::1 supervise::3

pub fn decide(life: Life, early_deaths: u32, limit: u32) -> Next {
    match life {
        Life { asked_to_stop: true, .. } => Next::Leave,
        Life { was_ready: false, .. } if early_deaths > limit => Next::GiveUp,
        _ => Next::Replace,
    }
}
