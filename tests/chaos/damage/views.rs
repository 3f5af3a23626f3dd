//! What the views' database holds, read with SQLite alone: every table, every row, every value as its bytes.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, bail};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use sha2::{Digest, Sha256};

/// What a table holds: how it was made, how many rows, and one digest of all of them in any order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    made: String,
    rows: u64,
    digest: [u8; 32],
}

/// Tables, and what else the schema names, by name.
pub type Tables = BTreeMap<String, Table>;

/// Reads the database of a data folder, from a copy.
///
/// # Errors
/// Where it is damaged in a way that SQLite itself sees.
pub fn read(data: &Path) -> anyhow::Result<Tables> {
    let copy = tempfile::tempdir()?;
    for file in ["views.db", "views.db-wal"] {
        let from = data.join(file);
        if from.exists() {
            std::fs::copy(&from, copy.path().join(file)).with_context(|| format!("{file} cannot be read"))?;
        }
    }
    let database = Connection::open_with_flags(copy.path().join("views.db"), OpenFlags::SQLITE_OPEN_READ_WRITE)
        .context("views.db is not there")?;
    let sound: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    if sound != "ok" {
        bail!("views.db is not sound");
    }
    let mut schema = database.prepare("SELECT name, type, coalesce(sql, '') FROM sqlite_schema ORDER BY name")?;
    let named = schema.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let named = named.collect::<Result<Vec<(String, String, String)>, _>>()?;
    let mut tables = Tables::new();
    for (name, kind, made) in named {
        let (rows, digest) = if kind == "table" { rows(&database, &name)? } else { (0, [0; 32]) };
        tables.insert(name, Table { made, rows, digest });
    }
    Ok(tables)
}

/// How many rows a table has, and a digest that does not depend on their order.
fn rows(database: &Connection, table: &str) -> anyhow::Result<(u64, [u8; 32])> {
    let mut statement = database.prepare(&format!("SELECT * FROM \"{table}\""))?;
    let columns = statement.column_count();
    let mut rows = statement.query([])?;
    let (mut count, mut sum) = (0, [0_u8; 32]);
    while let Some(row) = rows.next()? {
        let mut hash = Sha256::new();
        for column in 0..columns {
            let (kind, bytes): (u8, Vec<u8>) = match row.get_ref(column)? {
                ValueRef::Null => (0, Vec::new()),
                ValueRef::Integer(number) => (1, number.to_le_bytes().to_vec()),
                ValueRef::Real(number) => (2, number.to_le_bytes().to_vec()),
                ValueRef::Text(text) => (3, text.to_vec()),
                ValueRef::Blob(blob) => (4, blob.to_vec()),
            };
            hash.update([kind]);
            hash.update(bytes.len().to_le_bytes());
            hash.update(bytes);
        }
        // Added byte by byte: the same rows in any order give the same sum, and two alike do not cancel out.
        for (sum, byte) in sum.iter_mut().zip(hash.finalize()) {
            *sum = sum.wrapping_add(byte);
        }
        count += 1;
    }
    Ok((count, sum))
}

/// What is not as in the truth, by name.
pub fn differences(truth: &Tables, found: &Tables) -> Vec<String> {
    let names: std::collections::BTreeSet<&String> = truth.keys().chain(found.keys()).collect();
    names.into_iter().filter(|name| truth.get(*name) != found.get(*name)).map(|name| format!("views: {name}")).collect()
}
