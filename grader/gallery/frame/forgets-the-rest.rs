//! The bytes after the last message are thrown away.
//! fails: frame::5

pub fn push(&mut self, piece: &[u8]) -> io::Result<Vec<Vec<u8>>> {
    self.rest.extend_from_slice(piece);
    let mut messages = Vec::new();
    while let Some((header, body)) = self.rest.split_first_chunk::<HEADER>() {
        let length = length(*header)?;
        let Some(message) = body.get(..length) else { break };
        messages.push(message.to_vec());
        self.rest.drain(..HEADER + length);
    }
    if !messages.is_empty() {
        self.rest.clear();
    }
    Ok(messages)
}
