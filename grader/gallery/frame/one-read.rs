//! One read is taken for all that comes.
//! fails: frame::3 frame::4

pub fn read_full(stream: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    stream.read(buffer)
}
