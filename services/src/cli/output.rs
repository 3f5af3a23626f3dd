//! Data to stdout, everything else to stderr. A reader that has gone is no failure.

use std::fmt;
use std::io::{self, BufWriter, IsTerminal, Write};

use super::exit::Closed;

/// Where a verb writes.
pub struct Output {
    data: BufWriter<Box<dyn Write + Send>>,
    terminal: bool,
    quiet: bool,
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output").field("terminal", &self.terminal).field("quiet", &self.quiet).finish_non_exhaustive()
    }
}

impl Output {
    /// The program's own stdout and stderr; quiet where only data and errors are wanted.
    pub fn new(quiet: bool) -> Self {
        let stdout = io::stdout();
        let terminal = stdout.is_terminal();
        Self { data: BufWriter::new(Box::new(stdout)), terminal, quiet }
    }

    /// Into something else than stdout.
    pub fn to(data: impl Write + Send + 'static) -> Self {
        Self { data: BufWriter::new(Box::new(data)), terminal: false, quiet: true }
    }

    /// Whether a person reads it.
    pub fn terminal(&self) -> bool {
        self.terminal
    }

    /// Whether only data and errors are wanted.
    pub fn quiet(&self) -> bool {
        self.quiet
    }

    /// Data.
    ///
    /// # Errors
    /// [`Closed`] where the reader has gone.
    pub fn write(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        self.data.write_all(bytes).map_err(closed)
    }

    /// A line of data.
    ///
    /// # Errors
    /// As [`Output::write`].
    pub fn line(&mut self, line: impl fmt::Display) -> anyhow::Result<()> {
        writeln!(self.data, "{line}").map_err(closed)
    }

    /// Everything written so far, to its reader.
    ///
    /// # Errors
    /// As [`Output::write`].
    pub fn flush(&mut self) -> anyhow::Result<()> {
        self.data.flush().map_err(closed)
    }

    /// What a person wants to know beside the data, on stderr.
    pub fn note(&self, note: impl fmt::Display) {
        if !self.quiet {
            // A note that nobody can read is no reason to stop.
            _ = writeln!(io::stderr().lock(), "{note}");
        }
    }
}

fn closed(error: io::Error) -> anyhow::Error {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Closed.into();
    }
    anyhow::Error::new(error).context("could not write the output")
}

#[cfg(test)]
mod tests {
    use super::super::exit::Exit;
    use super::*;

    struct Failing(io::ErrorKind);

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn written_to(kind: io::ErrorKind) -> anyhow::Error {
        let mut output = Output::to(Failing(kind));
        output.line("a row").and_then(|()| output.flush()).unwrap_err()
    }

    #[test]
    fn a_reader_that_has_gone_is_no_failure_and_a_full_disk_is() {
        assert_eq!(Exit::of(&written_to(io::ErrorKind::BrokenPipe)), Exit::Done);
        assert_eq!(Exit::of(&written_to(io::ErrorKind::StorageFull)), Exit::Usage);
    }
}
