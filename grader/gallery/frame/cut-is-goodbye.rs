//! A peer that dies in the middle of a frame is taken for one that closed the stream.
//! fails: frame::4

pub fn read_frame(stream: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut header = [0; HEADER];
    if read_full(stream, &mut header)? < HEADER {
        return Ok(None);
    }
    let mut message = vec![0; length(header)?];
    if read_full(stream, &mut message)? < message.len() {
        return Ok(None);
    }
    Ok(Some(message))
}
