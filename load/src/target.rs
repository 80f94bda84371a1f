//! The server under load: its URL, and a connection to it.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use hyper::Uri;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpStream, UnixStream};

/// A server and the resource to request from it.
///
/// ```
/// use load::Target;
///
/// let over_tcp: Target = "http://127.0.0.1:8000/hello".parse()?;
/// assert_eq!((over_tcp.host(), over_tcp.resource()), ("127.0.0.1:8000", "/hello"));
///
/// let over_a_unix_socket: Target = "unix:/run/app.sock:/hello".parse()?;
/// assert_eq!(over_a_unix_socket.resource(), "/hello");
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug)]
pub struct Target {
    url: String,
    place: Place,
    host: String,
    resource: String,
}

#[derive(Clone, Debug)]
enum Place {
    /// The addresses of the host, in the order in which they are tried.
    Tcp(Vec<SocketAddr>),
    Unix(PathBuf),
}

impl Target {
    /// The value of the header `Host`.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The path and the query to request.
    #[must_use]
    pub fn resource(&self) -> &str {
        &self.resource
    }

    pub(crate) async fn connect(&self) -> io::Result<Stream> {
        match &self.place {
            Place::Tcp(addresses) => {
                let stream = TcpStream::connect(addresses.as_slice()).await?;
                stream.set_nodelay(true)?;
                Ok(Stream::Tcp(stream))
            }
            Place::Unix(path) => Ok(Stream::Unix(UnixStream::connect(path).await?)),
        }
    }

    /// Returns whether a server accepts connections.
    pub(crate) async fn is_open(&self) -> bool {
        match self.connect().await {
            // A client's own port may be the port that it connects to: then it has met itself.
            Ok(Stream::Tcp(stream)) => stream.local_addr().ok() != stream.peer_addr().ok(),
            Ok(Stream::Unix(_)) => true,
            Err(_) => false,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

impl FromStr for Target {
    type Err = String;

    /// Parses `http://HOST:PORT/RESOURCE` (port 80 may be left out) or `unix:SOCKET:/RESOURCE`, and
    /// looks the host up.
    fn from_str(url: &str) -> Result<Self, String> {
        match url.strip_prefix("unix:") {
            Some(rest) => unix(url, rest),
            None => tcp(url),
        }
    }
}

fn unix(url: &str, rest: &str) -> Result<Target, String> {
    // The first `:/` ends the path of the socket: a resource such as `/?from=http://x` has another.
    let (socket, resource) = match rest.find(":/") {
        Some(colon) => (&rest[..colon], &rest[colon + 1..]),
        None => (rest, "/"),
    };
    let uri: Uri = resource.parse().map_err(|error| format!("{url}: {error}"))?;
    if socket.is_empty() {
        return Err("a Unix socket needs its path: unix:/run/app.sock:/hello".to_owned());
    }
    let place = Place::Unix(Path::new(socket).to_owned());
    Ok(Target { url: url.to_owned(), place, host: "localhost".to_owned(), resource: path(&uri) })
}

fn tcp(url: &str) -> Result<Target, String> {
    const SHAPES: &str = "expected http://HOST:PORT/PATH or unix:/SOCKET:/PATH";
    let uri: Uri = url.parse().map_err(|error| format!("{error}; {SHAPES}"))?;
    match uri.scheme_str() {
        Some("http") => {}
        Some("https") => {
            return Err("https is not supported: put the load on the plain port".into());
        }
        _ => return Err(SHAPES.to_owned()),
    }
    let authority = uri.authority().ok_or(SHAPES)?;
    let host = authority.host();
    let port = match authority.as_str().strip_prefix(host) {
        Some("") => 80,
        // A number that is too large for a port is none for the parser.
        Some(_) => authority.port_u16().ok_or_else(|| format!("{authority} has a wrong port"))?,
        None => return Err(format!("{authority} has a name for a log-in; send it with --header")),
    };
    let name = host.trim_matches(['[', ']']);
    let found = (name, port).to_socket_addrs().map_err(|error| format!("{host}: {error}"))?;
    let host = authority.to_string();
    let place = Place::Tcp(found.collect());
    Ok(Target { url: url.to_owned(), place, host, resource: path(&uri) })
}

fn path(uri: &Uri) -> String {
    uri.path_and_query().map_or("/", |it| it.as_str()).to_owned()
}

/// A connection to the server.
pub(crate) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    pub(crate) async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.try_write(bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.writable().await?,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Appends what has arrived; `0` bytes are the end of the stream.
    pub(crate) async fn read(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        // After a short read tokio knows that nothing is left; with `try_read_buf` it would not.
        match self {
            Self::Tcp(stream) => stream.read_buf(buffer).await,
            Self::Unix(stream) => stream.read_buf(buffer).await,
        }
    }

    /// Appends what has arrived, without waiting. It costs a system call only if the stream was
    /// reported as readable.
    pub(crate) fn try_read(&self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.try_read_buf(buffer),
            Self::Unix(stream) => stream.try_read_buf(buffer),
        }
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.try_write(bytes),
            Self::Unix(stream) => stream.try_write(bytes),
        }
    }

    async fn writable(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.writable().await,
            Self::Unix(stream) => stream.writable().await,
        }
    }
}
