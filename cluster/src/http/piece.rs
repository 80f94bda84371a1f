//! Bytes of an answer on their way to the kernel.

use std::io::IoSlice;
use std::sync::Arc;

use bytes::{Buf, Bytes};

use super::progress::Part;

/// A part of the answer's body. The answer is not over until its pieces have been sent.
///
/// An HTTP/2 connection accepts a body of any length at once and keeps it until the client has room
/// for it. So the end of the body alone does not show that the answer has been sent.
pub(super) struct Piece<D> {
    data: D,
    _open: Arc<Part>,
}

impl<D> Piece<D> {
    pub(super) fn new(data: D, open: Arc<Part>) -> Self {
        Self { data, _open: open }
    }
}

impl<D: Buf> Buf for Piece<D> {
    fn remaining(&self) -> usize {
        self.data.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.data.chunk()
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        self.data.chunks_vectored(slices)
    }

    fn advance(&mut self, bytes: usize) {
        self.data.advance(bytes);
    }

    fn copy_to_bytes(&mut self, bytes: usize) -> Bytes {
        self.data.copy_to_bytes(bytes)
    }
}
