//! The other worker: it increments the given target as fast as it can.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::thread;
use std::time::Duration;

use cluster::shared::Shared;

use super::COUNTER;

/// Words with which the two workers coordinate, in cache lines of their own.
const WANTED: usize = 32;
const DOING: usize = 48;

/// The number of increments between two checks of the wanted target.
const BATCH: u32 = 1000;

/// The word that it increments.
#[derive(Clone, Copy)]
pub enum Target {
    /// Nowhere: it sleeps.
    Nothing = 1,
    /// 128 bytes away. Processors fetch cache lines, of 64 bytes, in pairs.
    Far,
    /// In the next word, which is in the same line.
    Neighbour,
    /// In the same counter.
    Same,
}

/// Sets the target, and waits until the other worker counts there.
pub fn wants(shared: &Shared, target: Target) {
    let target = target as u64;
    if shared[WANTED].swap(target, Release) == target {
        return;
    }
    while shared[DOING].load(Acquire) != target {
        thread::yield_now();
    }
}

/// Counts forever.
pub fn count(shared: &Shared) {
    loop {
        let wanted = shared[WANTED].load(Acquire);
        shared[DOING].store(wanted, Release);
        let index = match wanted {
            wanted if wanted == Target::Far as u64 => COUNTER + 16,
            wanted if wanted == Target::Neighbour as u64 => COUNTER + 1,
            wanted if wanted == Target::Same as u64 => COUNTER,
            _ => {
                thread::sleep(Duration::from_micros(100));
                continue;
            }
        };
        (0..BATCH).for_each(|_| _ = shared[index].fetch_add(1, Relaxed));
    }
}
