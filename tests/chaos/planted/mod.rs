//! Faults planted on purpose, `chaos planted`: a suite that does not see them sees nothing. Each is a patch of the sources, built and
//! run, or an environment that breaks a promise; never a switch inside the program.
//!
//! Reading order: [`list`] (the faults, and who must see each), [`workshop`] (a patched copy of the sources, built), [`watch`]
//! (whether it is seen: by seeded runs, or by one of the [`probes`] and [`environments`], which use the [`lab`]).

pub mod environments;
pub mod lab;
pub mod list;
pub mod probes;
pub mod watch;
pub mod workshop;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::bail;
use serde_json::json;

use self::list::{ALL, Plant};
use self::watch::Seen;
use self::workshop::{Workshop, top};

const EXAMPLES: &str = "\
Examples:
  chaos planted                        all of them; an hour or so, most of it building
  chaos planted --only skip-contiguity
  chaos planted --list

Exit code 1 where a fault is not seen.";

/// Plants faults in copies of the program, and looks whether the suite sees each
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Planted {
    /// These alone
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Names them, plants nothing
    #[arg(long)]
    list: bool,
    /// Where copies are built; kept, so that the next call builds less
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// A JSON line a fault
    #[arg(long)]
    json: bool,
}

/// Plants and looks; whether every fault was seen.
///
/// # Errors
/// Where a patch does not apply or build, or something else than the fault is in the way.
#[expect(clippy::print_stdout, reason = "a command's answer goes to stdout")]
pub async fn run(planted: &Planted) -> anyhow::Result<bool> {
    let named = |plant: &&Plant| planted.only.is_empty() || planted.only.iter().any(|name| name == plant.name);
    let plants: Vec<&Plant> = ALL.iter().filter(named).collect();
    if let Some(unknown) = planted.only.iter().find(|name| !ALL.iter().any(|plant| plant.name == name.as_str())) {
        bail!("no planted fault is named {unknown}; see chaos planted --list");
    }
    if planted.list {
        plants.iter().for_each(|plant| println!("{:<28} {}", plant.name, plant.about));
        return Ok(true);
    }
    let folder = planted.folder.clone().unwrap_or_else(|| top().join("target/planted"));
    let mut workshop = None;
    let (mut seen, mut skipped) = (0, 0);
    for plant in &plants {
        let begun = Instant::now();
        let outcome = one(plant, &folder, &mut workshop).await?;
        let seconds = begun.elapsed().as_secs();
        let (verdict, how) = match &outcome {
            Seen::Yes(how) => ("caught", how),
            Seen::No(how) => ("MISSED", how),
            Seen::Skipped(how) => ("skipped", how),
        };
        seen += u32::from(matches!(outcome, Seen::Yes(_)));
        skipped += u32::from(matches!(outcome, Seen::Skipped(_)));
        if planted.json {
            println!("{}", json!({ "planted": plant.name, "verdict": verdict, "how": how, "seconds": seconds }));
        } else {
            println!("{verdict:<8} {:<28} {seconds:>4} s  {how}", plant.name);
        }
    }
    let all = u32::try_from(plants.len())?;
    eprintln!("{all} planted: {seen} caught, {} missed, {skipped} skipped", all - seen - skipped);
    Ok(seen + skipped == all && seen > 0)
}

async fn one(plant: &Plant, folder: &std::path::Path, workshop: &mut Option<Workshop>) -> anyhow::Result<Seen> {
    let program = match plant.patched {
        false => None,
        true => {
            let workshop = match workshop {
                Some(workshop) => workshop,
                None => workshop.insert(Workshop::open(folder)?),
            };
            Some(workshop.build(plant.name)?)
        }
    };
    watch::watch(&plant.watch, program).await
}
