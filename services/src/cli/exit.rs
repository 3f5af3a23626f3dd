//! How the program ends, and what it says when it could not do what was asked: what, why, what to do next.

use std::fmt;
use std::io::Write;
use std::process::ExitCode;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done,
    /// The answer is no: a check failed, or what was asked for is not there.
    No,
    /// Bad usage, or input that cannot be read.
    Usage,
    /// A service is unavailable.
    Unavailable,
}

impl Exit {
    /// The number that the shell sees.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::No => 1,
            Self::Usage => 2,
            Self::Unavailable => 3,
        }
    }

    /// How an error ends the program; one that says nothing of it is about input: files and folders of this machine.
    pub fn of(error: &anyhow::Error) -> Self {
        if error.is::<Closed>() {
            return Self::Done;
        }
        error.downcast_ref::<Stop>().map_or(Self::Usage, |stop| stop.exit)
    }

    /// The graver of two: what many files come to together.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        if other.code() > self.code() { other } else { self }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Whoever read the output has gone, as `head` does: nothing is left to do, and nothing went wrong.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the reader of the output has gone")]
pub struct Closed;

/// Why a verb stopped, where that decides how the program ends. Its cause stands below it in the chain.
#[derive(Debug, Clone, thiserror::Error)]
pub struct Stop {
    exit: Exit,
    what: String,
    next: Option<String>,
    input: bool,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Stop {
    /// Stopped, to end so.
    pub fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self { exit, what: what.into(), next: None, input: false }
    }

    /// The answer is no.
    pub fn no(what: impl Into<String>) -> Self {
        Self::new(Exit::No, what)
    }

    /// Bad usage or input.
    pub fn usage(what: impl Into<String>) -> Self {
        Self::new(Exit::Usage, what)
    }

    /// A service is unavailable.
    pub fn unavailable(what: impl Into<String>) -> Self {
        Self::new(Exit::Unavailable, what)
    }

    /// Because of what was handed in: the next file may be better.
    #[must_use]
    pub fn about_input(mut self) -> Self {
        self.input = true;
        self
    }

    /// Whether an error is about what was handed in.
    pub fn is_about_input(error: &anyhow::Error) -> bool {
        error.downcast_ref::<Self>().is_some_and(|stop| stop.input)
    }

    /// With what to do next.
    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }
}

/// Says on stderr what went wrong, why, and what to do; nothing where nothing went wrong.
pub fn report(error: &anyhow::Error) {
    if !error.is::<Closed>() {
        // Where stderr is gone as well, nobody is left to tell.
        _ = std::io::stderr().lock().write_all(told(error).as_bytes());
    }
}

fn told(error: &anyhow::Error) -> String {
    let mut text = format!("error: {error}\n");
    for cause in error.chain().skip(1) {
        text += &format!("  because: {cause}\n");
    }
    if let Some(next) = error.downcast_ref::<Stop>().and_then(|stop| stop.next.as_ref()) {
        text += &format!("  next: {next}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn an_error_ends_the_program_as_its_stop_says_wherever_that_stands() {
        let unavailable = anyhow!("refused").context(Stop::unavailable("no ledger")).context("asking");
        assert_eq!(Exit::of(&unavailable), Exit::Unavailable);
        assert_eq!(Exit::of(&Stop::no("no").into()), Exit::No);
        assert_eq!(Exit::of(&anyhow!("a file")), Exit::Usage);
        assert_eq!(Exit::of(&anyhow::Error::new(Closed)), Exit::Done);
    }

    #[test]
    fn the_codes_are_those_of_the_design() {
        let codes = [Exit::Done, Exit::No, Exit::Usage, Exit::Unavailable].map(Exit::code);
        assert_eq!(codes, [0, 1, 2, 3]);
        assert_eq!(Exit::Usage.or(Exit::Done).or(Exit::No), Exit::Usage);
    }

    #[test]
    fn an_error_says_what_why_and_what_next() {
        let error = anyhow!("refused").context(Stop::unavailable("could not reach the ledger").next("start it"));
        assert_eq!(told(&error), "error: could not reach the ledger\n  because: refused\n  next: start it\n");
    }
}
