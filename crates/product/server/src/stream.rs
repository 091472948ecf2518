//! What a connection is spoken over, whatever that is: a socket, TLS on one, a tunnel.
//!
//! Decides that there is one type for all of them: hyper's server is built once, and a call through a pointer is nothing
//! beside a system call. Never decides what is said.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};

/// Reads and writes.
pub(crate) trait Io: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + 'static> Io for T {}

/// Any of them.
pub(crate) type Stream = Box<dyn Io>;

/// Bytes looked at before they are read: a TLS record or a request line begins with one.
const LOOKED_AT: usize = 1;

/// A stream of which something was read already.
pub(crate) struct Begun {
    ahead: Bytes,
    stream: Stream,
}

impl Begun {
    pub(crate) fn new(ahead: Bytes, stream: Stream) -> Self {
        Self { ahead, stream }
    }

    /// The first byte, which stays to be read; none at the end.
    pub(crate) async fn peek(&mut self) -> io::Result<Option<u8>> {
        if self.ahead.is_empty() {
            let mut first = [0_u8; LOOKED_AT];
            let read = self.stream.read(&mut first).await?;
            self.ahead = Bytes::copy_from_slice(&first[..read]);
        }
        Ok(self.ahead.first().copied())
    }
}

impl AsyncRead for Begun {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.ahead.is_empty() {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let length = self.ahead.len().min(buffer.remaining());
        buffer.put_slice(&self.ahead[..length]);
        self.ahead.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Begun {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    #[tokio::test]
    async fn what_was_looked_at_is_read_again_and_nothing_twice() {
        let (near, mut far) = tokio::io::duplex(64);
        far.write_all(b"GET / HTTP/1.1").await.unwrap();
        drop(far);
        let mut begun = Begun::new(Bytes::new(), Box::new(near));
        assert_eq!(begun.peek().await.unwrap(), Some(b'G'));
        assert_eq!(begun.peek().await.unwrap(), Some(b'G'));
        let mut all = String::new();
        begun.read_to_string(&mut all).await.unwrap();
        assert_eq!(all, "GET / HTTP/1.1");
        assert_eq!(begun.peek().await.unwrap(), None);
    }

    #[tokio::test]
    async fn bytes_that_came_with_the_head_come_first() {
        let (near, mut far) = tokio::io::duplex(64);
        far.write_all(b"lo").await.unwrap();
        drop(far);
        let mut begun = Begun::new(Bytes::from_static(b"hel"), Box::new(near));
        let mut all = String::new();
        begun.read_to_string(&mut all).await.unwrap();
        assert_eq!(all, "hello");
    }
}
