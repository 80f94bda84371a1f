//! The length includes its own four bytes.
//! fails: frame::1 frame::2

pub fn encode(message: &[u8]) -> io::Result<Vec<u8>> {
    checked(message.len(), ErrorKind::InvalidInput)?;
    let length = checked(message.len() + HEADER, ErrorKind::InvalidInput)?;
    Ok([&length.to_be_bytes(), message].concat())
}
