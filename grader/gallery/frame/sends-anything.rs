//! A message of any length is sent: checking is left to the other side.
//! fails: frame::1 frame::2

pub fn encode(message: &[u8]) -> io::Result<Vec<u8>> {
    let length = u32::try_from(message.len()).map_err(io::Error::other)?;
    Ok([&length.to_be_bytes(), message].concat())
}
