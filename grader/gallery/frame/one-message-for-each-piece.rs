//! At most one message is taken out of each piece.
//! fails: frame::5

    pub fn push(&mut self, piece: &[u8]) -> io::Result<Vec<Vec<u8>>> {
        self.rest.extend_from_slice(piece);
        let Some((header, body)) = self.rest.split_first_chunk::<HEADER>() else {
            return Ok(Vec::new());
        };
        let length = length(*header)?;
        let Some(message) = body.get(..length) else { return Ok(Vec::new()) };
        let message = message.to_vec();
        self.rest.drain(..HEADER + length);
        Ok(vec![message])
    }
