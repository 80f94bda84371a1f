//! The end of a connection: FIN, then reading for a moment.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::transport::Transport;

/// The time for which input is discarded.
const PATIENCE: Duration = Duration::from_secs(1);
/// The limit of discarded bytes.
const APPETITE: usize = 64 << 20;

/// Sends `last_words` and FIN, then discards input until the client has closed too, or the input
/// takes too long or is too much.
///
/// Closing a socket while input is unread, or arrives later, makes the kernel send a reset. The
/// reset overtakes anything that the client has not read yet, which may include our answer.
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
