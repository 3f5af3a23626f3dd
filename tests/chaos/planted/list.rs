//! The faults that are planted, and who must see each.

use super::watch::Watch;

/// A fault that is planted.
#[derive(Debug)]
pub struct Plant {
    /// Its name; a patch has the same.
    pub name: &'static str,
    /// What is wrong with it, in a sentence.
    pub about: &'static str,
    /// Whether it is a patch of the sources; else its watch makes the environment that is wrong.
    pub patched: bool,
    /// Who must see it.
    pub watch: Watch,
}

const fn patch(name: &'static str, about: &'static str, watch: Watch) -> Plant {
    Plant { name, about, patched: true, watch }
}

const fn environment(name: &'static str, about: &'static str, watch: Watch) -> Plant {
    Plant { name, about, patched: false, watch }
}

const fn runs(fault: &'static str, invariants: &'static [&'static str]) -> Watch {
    Watch::Runs { fault, invariants }
}

/// All of them.
pub const ALL: &[Plant] = &[
    environment("lazy-flush", "nats-server flushes every two minutes, and the power fails", Watch::LazyFlush),
    environment(
        "lying-flush",
        "the disk says that it has flushed, and the power fails",
        runs("planted-lying-flush", &["I1"]),
    ),
    environment("postgres-does-not-flush", "PostgreSQL runs with fsync=off, and the power fails", Watch::PostgresFlush),
    environment("old-server", "nats-server 2.12.1, which loses what it acknowledged", Watch::OldServer),
    patch(
        "checkpoint-in-a-second-transaction",
        "the projector commits its rows, and then its checkpoint",
        runs("kill-projector", &["I7", "I8", "I13"]),
    ),
    patch(
        "expects-nothing",
        "the recorder appends without an expected position",
        runs("ack-lost", &["I1", "I3", "I4", "I5"]),
    ),
    patch(
        "new-id-on-timeout",
        "an append without an answer is sent again under a new id",
        runs("ack-lost", &["I1", "I2", "I3", "I5"]),
    ),
    patch("skips-contiguity", "a reader of the log takes whatever position comes next", Watch::HoleInTheLog),
    patch(
        "checkpoint-ahead",
        "the projector's checkpoint is one ahead of its rows",
        runs("kill-projector", &["I7", "I8", "I13"]),
    ),
    patch("as-of-closed", "a view asked as of a position shows what was known later", runs("kill-query", &["I10"])),
    patch(
        "batch-in-parts",
        "a batch is published message by message",
        runs("failpoint-recording", &["I1", "I5", "I6"]),
    ),
    patch("name-in-the-log", "a line of the program's log quotes a person's name", Watch::NameInALog),
    patch(
        "dump-in-no-order",
        "a dump lists rows in whatever order the database has them",
        runs("kill-query", &["I7", "I10"]),
    ),
    patch(
        "no-determination",
        "a fact that raises the question of a notice is recorded without its determination",
        Watch::Determined,
    ),
    patch(
        "archive-drops-headers",
        "the archiver leaves out the headers of a message now and then",
        Watch::ArchiveWhole,
    ),
    patch("receipt-unchecked", "nobody compares the stream with what was acknowledged", Watch::ShorterThanAcknowledged),
    patch("verify-without-archive", "verify does not look into the archive", Watch::SegmentRots),
];
