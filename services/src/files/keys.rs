//! The ids of what files say. They come from what is said, never from the file or the row, so that the same statement in
//! another file, or in a corrected one, is the same event.

use chrono::NaiveDate;
use rollbook_events::ids::EnrollmentId;
use rollbook_events::{EventId, Hash, MemberId, PlanCode, Program};
use uuid::Uuid;

/// The namespace of all ids that are made from files. To change it is to import every old file twice.
const NAMESPACE: Uuid = Uuid::from_u128(0x7c1f_5d0a_3b52_5e8e_9a64_2f1d_8c07_b9e3);

/// The id of the event that says this.
pub(super) fn event(key: &str) -> EventId {
    EventId(Uuid::new_v5(&NAMESPACE, key.as_bytes()))
}

/// The id of a line that brought none.
pub(super) fn line(file: Hash, row: u32) -> EventId {
    event(&format!("line|{file}|{row}"))
}

/// The id of the enrollment that began on that day; `used` says which ids belong to enrollments of another start.
pub(super) fn enrollment(
    plan: &PlanCode,
    member: MemberId,
    program: Program,
    from: NaiveDate,
    used: impl Fn(EnrollmentId) -> bool,
) -> EnrollmentId {
    let mut key = format!("enrollment|{plan}|{member}|{program}|{from}");
    loop {
        let id = EnrollmentId(Uuid::new_v5(&NAMESPACE, key.as_bytes()));
        if !used(id) {
            return id;
        }
        // An enrollment whose start was corrected keeps the id of its first start.
        key.push_str("|again");
    }
}

/// The key of a lead care manager: the name itself stands in the identity alone.
pub(super) fn manager(name: &str) -> String {
    let normalized = name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let digest = Hash::of(normalized.as_bytes()).to_string();
    format!("lcm-{}", digest.get(..12).unwrap_or(&digest))
}
