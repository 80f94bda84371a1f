//! The length from the peer is believed, up to 4 GiB.
//! fails: frame::4

pub fn read_frame(stream: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut header = [0; HEADER];
    match read_full(stream, &mut header)? {
        0 => return Ok(None),
        HEADER => {}
        _ => return Err(ErrorKind::UnexpectedEof.into()),
    }
    let mut message = vec![0; u32::from_be_bytes(header) as usize];
    if read_full(stream, &mut message)? < message.len() {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(message))
}
