//! `rollbook`: parse, call, end.

use std::process::ExitCode;

use clap::Parser;
use rollbook::cli::{Cli, run};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    run(Cli::parse()).await.into()
}
