//! The ways of counting, by name. With `--wrong` a wrong version goes under the right name.

use std::sync::Arc;

use crate::memory::Memory;
use crate::remote::{Lost, Remote};
use crate::{Wrong, process};

/// The three ways to count, and the wrong versions of two, by the names that requests give them.
pub const WAYS: [&str; 5] = ["process", "memory", "load-store", "redis", "get-set"];

/// The counters of a worker.
pub struct Counters {
    pub memory: Memory,
    pub redis: Option<Arc<Remote>>,
    pub wrong: Option<Wrong>,
}

impl Counters {
    /// Counts one request in one way, and returns the new number.
    pub async fn increment(&self, way: &str) -> Result<u64, Lost> {
        match way {
            "process" => Ok(process::increment()),
            "memory" if self.wrong != Some(Wrong::LoadStore) => Ok(self.memory.add(way)),
            "memory" | "load-store" => Ok(self.memory.load_and_store(way).await),
            "redis" if self.wrong != Some(Wrong::GetSet) => self.remote()?.increment(way).await,
            _ => self.remote()?.get_and_set(way).await,
        }
    }

    pub async fn value(&self, way: &str) -> Result<u64, Lost> {
        match way {
            "process" => Ok(process::value()),
            "memory" | "load-store" => Ok(self.memory.value(way)),
            _ => self.remote()?.value(way).await,
        }
    }

    fn remote(&self) -> Result<&Arc<Remote>, Lost> {
        self.redis.as_ref().ok_or_else(|| Lost("no Redis available".to_owned()))
    }

    /// The ways that a request names, or else all available ones; none if it names an unknown one.
    /// Redis comes first, so that nothing is counted if it is lost.
    pub fn ways(&self, named: Option<&str>) -> Vec<&'static str> {
        let at_hand = &WAYS[..if self.redis.is_some() { 5 } else { 3 }];
        let Some(named) = named else { return at_hand.iter().rev().copied().collect() };
        if named.split(',').any(|one| !WAYS.contains(&one)) {
            return Vec::new();
        }
        WAYS.into_iter().rev().filter(|way| named.split(',').any(|one| one == *way)).collect()
    }
}
