//! Level 1.

#[cfg(feature = "frame")]
mod frame;
#[cfg(feature = "listen")]
mod listen;
#[cfg(feature = "reap")]
mod reap;
#[cfg(feature = "spawn")]
mod spawn;
#[cfg(feature = "supervise")]
mod supervise;

use grader::Exercise;

pub fn exercises() -> Vec<Exercise> {
    vec![
        #[cfg(feature = "spawn")]
        spawn::EXERCISE,
        #[cfg(feature = "reap")]
        reap::EXERCISE,
        #[cfg(feature = "listen")]
        listen::EXERCISE,
        #[cfg(feature = "frame")]
        frame::EXERCISE,
        #[cfg(feature = "supervise")]
        supervise::EXERCISE,
    ]
}
