//! The third way: Redis, which workers on many machines can share. It runs one command at a time, so a
//! command that reads and writes cannot lose a count; two commands can.
//!
//! Redis may be lost at any time. Then requests that need it fail at once, and not after a wait: one
//! task checks in the background whether Redis is back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use cluster::Worker;
use lab::{Result, say};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Cmd, Connection, ErrorKind, FromRedisValue, RedisError, cmd};
use tokio::time::sleep;

/// The timeout after which Redis counts as lost. The client's own timeout is 500 ms, and a second
/// for a connection. This one is longer because of the tests: next to ten busy programs, Redis may
/// have to wait this long for a processor.
const LIMIT: Duration = Duration::from_secs(2);

/// The time between two checks for whether a lost Redis is back.
const PROBE: Duration = Duration::from_millis(100);

/// The reason why a request cannot be answered, for its client.
pub struct Lost(pub String);

pub struct Remote {
    connection: ConnectionManager,
    prefix: String,
    lost: AtomicBool,
    patient: bool,
    worker: Worker,
}

/// Asks the primary for the address of Redis.
pub async fn ask_where(worker: &Worker) -> Result<Option<String>> {
    Ok(worker.request(&"where is Redis?", Duration::from_secs(5)).await?)
}

impl Remote {
    /// Connects with the first command, so a worker can start and live while Redis is away.
    pub fn open(url: &str, prefix: String, patient: bool, worker: Worker) -> Result<Arc<Self>> {
        // One connection serves the whole worker: commands go out as they come, and their answers
        // come back in the same order.
        let mut config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(LIMIT))
            .set_response_timeout(Some(LIMIT));
        if !patient {
            // To reconnect it tries six more times, with growing pauses; requests would wait.
            config = config.set_number_of_retries(0);
        }
        let connection = Client::open(url)?.get_connection_manager_lazy(config)?;
        Ok(Arc::new(Self { connection, prefix, lost: AtomicBool::new(false), patient, worker }))
    }

    /// One command: Redis reads, adds and writes, and does nothing else meanwhile.
    pub async fn increment(self: &Arc<Self>, way: &str) -> Result<u64, Lost> {
        self.ask(cmd("INCR").arg(self.key(way))).await
    }

    /// Two commands: a value that another worker sets between them is lost.
    pub async fn get_and_set(self: &Arc<Self>, way: &str) -> Result<u64, Lost> {
        let next = self.value(way).await?.saturating_add(1);
        // KEEPTTL: the keys of a demo have an expiry time, and keep it.
        self.ask::<()>(cmd("SET").arg(self.key(way)).arg(next).arg("KEEPTTL")).await?;
        Ok(next)
    }

    pub async fn value(self: &Arc<Self>, way: &str) -> Result<u64, Lost> {
        let number: Option<u64> = self.ask(cmd("GET").arg(self.key(way))).await?;
        Ok(number.unwrap_or(0)) // no worker has counted yet
    }

    fn key(&self, way: &str) -> String {
        format!("{}:{way}", self.prefix)
    }

    async fn ask<T: FromRedisValue>(self: &Arc<Self>, command: &Cmd) -> Result<T, Lost> {
        if self.lost.load(Relaxed) {
            return Err(Lost("Redis is lost; try again later".to_owned()));
        }
        let answered = command.query_async(&mut self.connection.clone()).await;
        answered.map_err(|error| {
            self.failed(&error);
            // The command may have arrived: this worker does not know whether Redis counted it.
            Lost(format!("no count from Redis: {error}"))
        })
    }

    /// Handles a failed command. If Redis is away, the next commands need not try.
    fn failed(self: &Arc<Self>, error: &RedisError) {
        let away = error.is_io_error() || error.is_timeout() || error.is_connection_dropped();
        if away && !self.patient && !self.lost.swap(true, Relaxed) {
            say!("worker: Redis is lost: {error}");
            tokio::spawn(Arc::clone(self).wait());
        }
    }

    /// Sends PING until there is an answer. The manager reconnects if a command finds no connection.
    async fn wait(self: Arc<Self>) {
        while cmd("PING").exec_async(&mut self.connection.clone()).await.is_err() {
            sleep(PROBE).await;
            let _ = ask_where(&self.worker).await; // so that the primary looks after its own server
        }
        say!("worker: Redis is back");
        self.lost.store(false, Relaxed);
    }
}

/// Makes the counters under this prefix expire in an hour, even if the demo is killed.
pub fn borrow(url: &str, prefix: &str) -> Result<()> {
    let (_, mut redis) = connect(url)?;
    let mut zero = |key: &String| cmd("SET").arg(key).arg(0).arg("EX").arg(3600).exec(&mut redis);
    Ok(keys(prefix).iter().try_for_each(&mut zero)?)
}

/// Deletes the counters under this prefix.
pub fn forget(url: &str, prefix: &str) -> Result<()> {
    Ok(cmd("DEL").arg(&keys(prefix)).exec(&mut connect(url)?.1)?)
}

fn keys(prefix: &str) -> [String; 2] {
    ["redis", "get-set"].map(|way| format!("{prefix}:{way}"))
}

/// Checks once that a Redis answers, before anything is started; returns its address, without the
/// password that its URL may have, and a connection.
pub fn connect(url: &str) -> Result<(String, Connection)> {
    let client = Client::open(url).map_err(|error| {
        format!(
            "--redis or REDIS_URL is not the address of a Redis ({error}): use redis://127.0.0.1:6379/"
        )
    })?;
    let place = client.get_connection_info().addr().to_string();
    let asked = client.get_connection_with_timeout(LIMIT).and_then(|mut connection| {
        connection.set_read_timeout(Some(LIMIT))?;
        cmd("PING").exec(&mut connection)?;
        Ok(connection)
    });
    match asked {
        Ok(connection) => Ok((place, connection)),
        Err(error) => Err(in_words(&place, &error).into()),
    }
}

fn in_words(place: &str, error: &RedisError) -> String {
    let said = error.to_string(); // several lines if the server does not speak Redis
    let said = said.lines().next().unwrap_or_default();
    let refused = error.kind() == ErrorKind::AuthenticationFailed;
    if refused || matches!(error.code(), Some("NOAUTH" | "WRONGPASS")) {
        return format!(
            "the Redis at {place} needs a password: {said}; use redis://:PASSWORD@HOST:PORT/"
        );
    }
    let silent = error.is_io_error() || error.is_timeout() || error.is_connection_dropped();
    let (what, then) = if silent {
        ("no Redis answers", "start one")
    } else {
        ("no working Redis answers", "check the server")
    };
    format!("{what} at {place}: {said}; {then}, or go without --redis and REDIS_URL")
}
