//! The bytes of the length are in the order of this machine.
//! fails: frame::1 frame::2

pub fn encode(message: &[u8]) -> io::Result<Vec<u8>> {
    let length = checked(message.len(), ErrorKind::InvalidInput)?;
    Ok([&length.to_le_bytes(), message].concat())
}
