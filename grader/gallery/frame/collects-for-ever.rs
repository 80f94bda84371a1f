//! The length is believed, and the decoder waits for the rest of it.
//! fails: frame::5

    pub fn push(&mut self, piece: &[u8]) -> io::Result<Vec<Vec<u8>>> {
        self.rest.extend_from_slice(piece);
        let mut messages = Vec::new();
        while let Some((header, body)) = self.rest.split_first_chunk::<HEADER>() {
            let length = u32::from_be_bytes(*header) as usize;
            let Some(message) = body.get(..length) else { break };
            messages.push(message.to_vec());
            self.rest.drain(..HEADER + length);
        }
        Ok(messages)
    }
