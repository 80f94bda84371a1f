//! Whoever died is replaced, however often.
//! fails: supervise::1 supervise::3

pub fn decide(life: Life, _early_deaths: u32, _limit: u32) -> Next {
    if life.told_to_stop { Next::Leave } else { Next::Replace }
}
