//! The chaos suite as a program: `chaos run`, `chaos list`.

use std::process::ExitCode;

fn main() -> ExitCode {
    harness::chaos::cli::main()
}
