//! An infinite loop that never sleeps.
//! exercise: frame
//! fails: frame::3 frame::4
//! finding: late

pub fn read_full(_stream: &mut impl Read, _buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        std::hint::spin_loop();
    }
}
