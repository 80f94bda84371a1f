//! The end of a connection: FIN, then listen for a moment.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::transport::Transport;

/// How long input is thrown away.
const PATIENCE: Duration = Duration::from_secs(1);
/// How many bytes of it.
const APPETITE: usize = 64 << 20;

/// Says `last_words`, sends FIN, and discards input until the client has closed too, or it takes too
/// long, or is too much.
///
/// Closing a socket while input is unread, or comes later, makes the kernel send a reset. It
/// overtakes what the client has not read yet, and that may be our answer.
pub(super) async fn linger(mut io: impl Transport, last_words: &[u8]) {
    let _ = timeout(PATIENCE, async {
        io.write_all(last_words).await?;
        io.shutdown().await?;
        discard(&mut io).await
    })
    .await;
}

async fn discard(io: &mut impl Transport) -> std::io::Result<()> {
    let mut scrap = vec![0; 16 * 1024];
    let mut eaten = 0;
    while eaten < APPETITE {
        match io.read(&mut scrap).await? {
            0 => break,
            bytes => eaten += bytes,
        }
    }
    Ok(())
}
