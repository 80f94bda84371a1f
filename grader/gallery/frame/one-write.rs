//! `write` is taken for `write_all`.
//! fails: frame::2

pub fn write_frame(stream: &mut impl Write, message: &[u8]) -> io::Result<()> {
    stream.write(&encode(message)?)?;
    Ok(())
}
