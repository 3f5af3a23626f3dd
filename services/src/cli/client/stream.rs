//! Answers that stream: line by line, or copied as they come.

use futures_util::TryStreamExt;
use reqwest::Response;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, Lines};
use tokio_util::io::StreamReader;

use super::root;
use crate::cli::exit::Stop;
use crate::cli::output::Output;

/// The lines of a streamed answer.
///
/// # Errors
/// Where the connection breaks, from each line.
pub fn lines(answer: Response) -> Lines<impl AsyncBufRead + Unpin> {
    let bytes = answer.bytes_stream().map_err(|error| std::io::Error::other(root(&error)));
    StreamReader::new(Box::pin(bytes)).lines()
}

/// Copies a streamed answer as it comes, to its end or to the cut.
///
/// # Errors
/// Where the connection breaks or the output fails.
pub async fn copy(mut answer: Response, output: &mut Output, mut cut: Option<Cut>) -> anyhow::Result<()> {
    while let Some(chunk) = answer.chunk().await.map_err(|error| broken(&error))? {
        let end = cut.as_mut().and_then(|cut| cut.end(&chunk));
        output.write(chunk.get(..end.unwrap_or(chunk.len())).unwrap_or(&chunk))?;
        if end.is_some() {
            break;
        }
    }
    output.flush()
}

/// Where a stream that gives every row is cut: after so many lines.
#[derive(Debug, Clone, Copy)]
pub struct Cut {
    missing: u64,
    /// In CSV a line may end within quotes; in NDJSON a quote means nothing here.
    csv: bool,
    quoted: bool,
}

impl Cut {
    /// After so many rows of NDJSON.
    pub fn ndjson(rows: u32) -> Self {
        Self { missing: rows.into(), csv: false, quoted: false }
    }

    /// After so many rows of CSV and their header.
    pub fn csv(rows: u32) -> Self {
        Self { missing: u64::from(rows) + 1, csv: true, quoted: false }
    }

    /// The place of the cut in the next bytes, where it is there.
    fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        for (at, byte) in bytes.iter().enumerate() {
            match byte {
                b'"' if self.csv => self.quoted = !self.quoted,
                b'\n' if !self.quoted => self.missing = self.missing.saturating_sub(1),
                _ => continue,
            }
            if self.missing == 0 {
                return Some(at + 1);
            }
        }
        None
    }
}

fn broken(error: &reqwest::Error) -> anyhow::Error {
    let stop = Stop::unavailable("the connection broke: what was printed is not the whole answer").next("ask again");
    root(error).context(stop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_ends_a_stream_at_a_row() {
        let mut cut = Cut::ndjson(2);
        assert_eq!(cut.end(b"\"one\ntw"), None);
        assert_eq!(cut.end(b"o\nthree\n"), Some(2));
        assert_eq!(Cut::csv(1).end(b"a,b\n\"x\ny\",1\nz,2\n"), Some(12));
    }
}
