//! Settings that make a lot happen in a short time.

use std::time::Duration;

use cluster::supervisor::Policy;

use crate::tape::Tape;

pub fn random_policy(tape: &mut Tape) -> Policy {
    let ms = Duration::from_millis;
    let workers = 1 + tape.choose(5) as usize;
    Policy {
        workers,
        min_workers: 1,
        max_workers: workers + tape.choose(4) as usize,
        surge: 1 + tape.choose(2) as usize,
        max_draining: tape.pick(&[None, Some(1), Some(2)]),
        ready_timeout: ms(tape.pick(&[1000, 3000])),
        min_ready: ms(tape.pick(&[0, 300, 1000])),
        min_uptime: ms(tape.pick(&[500, 1000])),
        restart_delay: ms(100),
        restart_delay_max: ms(tape.pick(&[1000, 5000])),
        max_early_deaths: tape.pick(&[3, 2, 1, 5]),
        drain_window: ms(100),
        drain_timeout: ms(tape.pick(&[1000, 4000])),
        shutdown_timeout: ms(tape.pick(&[1000, 2000])),
        accept_timeout: ms(100),
        term_grace: ms(500),
        abort_grace: ms(700),
        heartbeat: tape.pick(&[None, Some(ms(2000)), Some(ms(5000))]),
        memory_limit: tape.pick(&[None, Some(1 << 20)]),
        max_requests: tape.pick(&[None, Some(20)]),
        max_lifetime: tape.pick(&[None, None, Some(ms(10_000))]),
    }
}
