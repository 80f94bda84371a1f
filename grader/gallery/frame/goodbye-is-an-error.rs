//! The end of the stream is always an error.
//! fails: frame::4

pub fn read_frame(stream: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut header = [0; HEADER];
    stream.read_exact(&mut header)?;
    let mut message = vec![0; length(header)?];
    stream.read_exact(&mut message)?;
    Ok(Some(message))
}
