//! One page over HTTP/1.1, one connection after the other.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::cli::{Failure, complain};

/// Serves the text that `page` gives, each time anew, at `path` of `address`: `127.0.0.1:9475`. Never ends of itself.
///
/// # Errors
/// [`Failure`]: nobody may listen there.
pub fn serve(tool: &str, address: &str, path: &str, page: impl Fn() -> String) -> Result<(), Failure> {
    let failed = |error: io::Error| {
        let text = format!("{address}: {error}");
        match error.kind() {
            io::ErrorKind::InvalidInput => Failure::usage(text),
            _ => Failure::blind(text),
        }
    };
    let listener = TcpListener::bind(address).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    complain(tool, format_args!("serving http://{address}{path}"));
    loop {
        let (stream, peer) = listener.accept().map_err(failed)?;
        // Who does not ask properly costs himself only.
        if let Err(error) = answer(stream, path, &page) {
            complain(tool, format_args!("{peer}: {error}"));
        }
    }
}

fn answer(mut stream: TcpStream, path: &str, page: impl Fn() -> String) -> io::Result<()> {
    let head = read_head(&mut stream)?;
    let mut words = head.split(' ');
    let (method, asked) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let asked = asked.split('?').next().unwrap_or_default();
    let (status, body) = match method {
        "GET" | "HEAD" if asked == path => ("200 OK", page()),
        "GET" | "HEAD" => ("404 Not Found", format!("see {path}\n")),
        _ => ("405 Method Not Allowed", "GET only\n".to_owned()),
    };
    let allow = if status.starts_with("405") {
        "Allow: GET, HEAD\r\n"
    } else {
        ""
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\n{allow}Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n"
    )?;
    if method != "HEAD" {
        stream.write_all(body.as_bytes())?;
    }
    Ok(())
}

/// The first line of a request, once its head is whole. The head may take neither more than [`HEAD_MAX`] bytes nor more
/// than [`PATIENCE`].
fn read_head(stream: &mut TcpStream) -> io::Result<String> {
    let deadline = Instant::now() + PATIENCE;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || head.len() > HEAD_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "no whole request"));
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            len => head.extend_from_slice(&buffer[..len]),
        }
    }
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    Ok(String::from_utf8_lossy(line).into_owned())
}

const HEAD_MAX: usize = 16 * 1024;
const PATIENCE: Duration = Duration::from_secs(2);
