//! Times of all strategies, under even work and with one slow worker. A client's time counts from its
//! connection to the end of the answer.

use lab::Result;

pub fn play() -> Result<()> {
    if cfg!(debug_assertions) {
        return Err("a debug build is not measured; run it with `cargo run --release`".into());
    }
    Ok(())
}
