//! Every decision of a random world, as a list of numbers: recorded, replayed, shortened.

/// The source of a world's decisions. The same tape makes the same history.
pub struct Tape {
    recorded: Vec<u32>,
    position: usize,
    /// Draws after the end of the record; without dice, every draw is zero.
    dice: Option<u64>,
}

impl Tape {
    /// Draws everything, and records it.
    pub fn random(seed: u64) -> Self {
        Self { recorded: Vec::new(), position: 0, dice: Some(seed) }
    }

    /// Plays the record. After its end every decision is 0, which in all places means that the
    /// harmless thing happens.
    pub fn replay(recorded: Vec<u32>) -> Self {
        Self { recorded, position: 0, dice: None }
    }

    /// A number below `bound`.
    pub fn choose(&mut self, bound: u32) -> u32 {
        if self.position == self.recorded.len() {
            let drawn = self.dice.as_mut().map_or(0, |state| splitmix(state) >> 32);
            self.recorded.push(u32::try_from(drawn).expect("half of 64 bits"));
        }
        let decision = self.recorded[self.position];
        self.position += 1;
        decision % bound
    }

    /// Picks one of a few.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.choose(u32::try_from(from.len()).expect("a few")) as usize]
    }

    /// True once in `times`.
    pub fn one_in(&mut self, times: u32) -> bool {
        self.choose(times) == times - 1
    }

    /// The decisions that were played or drawn so far.
    pub fn into_record(mut self) -> Vec<u32> {
        self.recorded.truncate(self.position);
        self.recorded
    }
}

fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A copy of the tape with a part changed; `None` if there is nothing to change.
type Change = fn(&[u32], usize, usize) -> Option<Vec<u32>>;

/// Looks for a shorter or simpler tape that `still_fails`: parts are cut out, then set to zero, in
/// smaller and smaller pieces.
pub fn shrink(mut tape: Vec<u32>, mut still_fails: impl FnMut(&[u32]) -> bool) -> Vec<u32> {
    let mut attempts = 3000;
    for change in [cut as Change, zero, cut, halve] {
        let mut size = tape.len().div_ceil(2).max(1);
        loop {
            let mut start = 0;
            while start < tape.len() && attempts > 0 {
                attempts -= 1;
                let candidate = change(&tape, start, (start + size).min(tape.len()));
                match candidate.filter(|candidate| still_fails(candidate)) {
                    Some(simpler) if simpler.len() < tape.len() => tape = simpler,
                    Some(simpler) => {
                        tape = simpler;
                        start += size;
                    }
                    None => start += size,
                }
            }
            if size == 1 {
                break;
            }
            size /= 2;
        }
    }
    tape
}

#[allow(clippy::unnecessary_wraps)] // It is one of several changes.
fn cut(tape: &[u32], from: usize, to: usize) -> Option<Vec<u32>> {
    Some([&tape[..from], &tape[to..]].concat())
}

fn zero(tape: &[u32], from: usize, to: usize) -> Option<Vec<u32>> {
    tape[from..to].iter().any(|&n| n != 0).then(|| {
        let zeros = vec![0; to - from];
        [&tape[..from], &zeros, &tape[to..]].concat()
    })
}

fn halve(tape: &[u32], from: usize, to: usize) -> Option<Vec<u32>> {
    tape[from..to].iter().any(|&n| n > 1).then(|| {
        let halves: Vec<_> = tape[from..to].iter().map(|n| n / 2).collect();
        [&tape[..from], &halves, &tape[to..]].concat()
    })
}
