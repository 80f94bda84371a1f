//! A dead worker is replaced, however many times workers die.
//! fails: supervise::1 supervise::3

pub fn decide(life: Life, _early_deaths: u32, _limit: u32) -> Next {
    if life.asked_to_stop { Next::Leave } else { Next::Replace }
}
