//! What clients did and were told, in memory for the checkers and as JSON lines for a person.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::check::Violation;

/// How a request ended, as its client knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Acknowledged, or answered.
    Ok,
    /// Surely without effect.
    Fail,
    /// Nobody told.
    Unknown,
}

/// What the ledger says of one event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The event.
    pub id: String,
    /// Its member.
    pub member: Option<String>,
    /// Where it stands.
    pub position: u64,
    /// Whether it stood there before.
    pub known: bool,
}

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Submissions, as JSON texts, recorded together, and the receipts.
    Submit {
        /// Each submission.
        sent: Vec<String>,
        /// What became of each.
        receipts: Vec<Receipt>,
        /// Whether the submissions are well-formed and permitted whatever the ledger holds.
        sound: bool,
    },
    /// A file of submissions, by its SHA-256.
    Import {
        /// The file.
        sha256: String,
        /// Whether all of it is settled.
        completed: bool,
    },
    /// A question.
    Read {
        /// The path with its parameters.
        path: String,
        /// The position asked for.
        at_least: Option<u64>,
        /// The SHA-256 of the answer's bytes.
        digest: String,
        /// The positions of the events that the answer lists, where it lists events.
        listed: Option<Vec<u64>>,
        /// Whose events; none for everybody's.
        member: Option<String>,
    },
    /// The positions that `/v1/status` tells.
    Status {
        /// Of the log.
        head: u64,
    },
}

/// One request and its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The operation; its repeats have the same number.
    pub operation: u64,
    /// Who asked.
    pub client: u32,
    /// Whom.
    pub service: String,
    /// Microseconds since the run began.
    pub begun: u64,
    /// Microseconds since the run began.
    pub ended: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// The status, where there was an answer.
    pub status: Option<u16>,
    /// The problem, or why there was no answer.
    pub problem: Option<String>,
    /// The position that the answer rests on.
    pub position: Option<u64>,
    /// What was asked.
    pub what: What,
}

/// The history of a run.
#[derive(Debug)]
pub struct History {
    begun: Instant,
    records: Mutex<Vec<Record>>,
    file: Mutex<File>,
    next: AtomicU64,
    requests: watch::Sender<u64>,
    accused: Mutex<Vec<Violation>>,
    power_cuts: Mutex<Vec<u64>>,
}

impl History {
    /// An empty one that is written beside.
    pub fn new(path: &Path) -> Self {
        Self {
            begun: Instant::now(),
            records: Mutex::default(),
            file: Mutex::new(File::create(path).unwrap()),
            next: AtomicU64::new(1),
            requests: watch::Sender::new(0),
            accused: Mutex::default(),
            power_cuts: Mutex::default(),
        }
    }

    /// Microseconds since the run began.
    pub fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_micros()).unwrap()
    }

    /// The number of a new operation.
    pub fn operation(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// A request begins: the clock that faults strike by.
    pub fn request(&self) {
        self.requests.send_modify(|count| *count += 1);
    }

    /// The count of requests begun.
    pub fn requests(&self) -> watch::Receiver<u64> {
        self.requests.subscribe()
    }

    /// Notes a request that has ended.
    pub fn note(&self, record: Record) {
        let mut line = serde_json::to_vec(&record).unwrap();
        line.push(b'\n');
        self.file.lock().unwrap().write_all(&line).unwrap();
        self.records.lock().unwrap().push(record);
    }

    /// Notes what a fault did, for a person to read.
    pub fn say(&self, fault: &str, what: &str) {
        let line = serde_json::json!({ "fault": fault, "at": self.now(), "did": what });
        self.file.lock().unwrap().write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// The power of the disk under log and views is cut at this moment.
    pub fn power_is_cut(&self) {
        self.say("power", "is cut");
        self.power_cuts.lock().unwrap().push(self.now());
    }

    /// When the power was cut, in microseconds since the run began.
    pub fn power_cuts(&self) -> Vec<u64> {
        self.power_cuts.lock().unwrap().clone()
    }

    /// A fault saw, while it struck, what must not be.
    pub fn accuse(&self, violation: Violation) {
        self.accused.lock().unwrap().push(violation);
    }

    /// What faults saw that must not be.
    pub fn accused(&self) -> Vec<Violation> {
        self.accused.lock().unwrap().clone()
    }

    /// All that has ended so far.
    pub fn records(&self) -> Vec<Record> {
        self.records.lock().unwrap().clone()
    }

    /// The highest position that anybody was told of, which is a position that exists.
    pub fn seen(&self) -> u64 {
        self.records.lock().unwrap().iter().filter_map(|record| record.position).max().unwrap_or(1)
    }
}
