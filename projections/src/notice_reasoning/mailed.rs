//! What became of the notice: mailed or not, in time or how late, and the appeal.

use rollbook_events::codes::NoticeOutcome;

use super::happened::words;
use crate::rules::notices::records::Record;

/// The sentences on the notice and on the appeal against it.
pub(super) fn mailed(record: &Record<'_>) -> Vec<String> {
    let mut sentences = vec![notice(record)];
    if let Some(appeal) = record.appeal {
        let ended = match appeal.resolved {
            Some(resolved) => format!("was resolved on {}: {}", resolved.on.0, words(resolved.outcome.as_str())),
            None => "is open".to_owned(),
        };
        sentences.push(format!("An appeal was filed on {} and {ended}.", appeal.filed.on.0));
    }
    sentences
}

fn notice(record: &Record<'_>) -> String {
    let last_day = record.mail_by.map(|day| format!("the last lawful day to mail it was {day}"));
    let Some((_, notice)) = record.notice else {
        if record.answer.outcome == NoticeOutcome::NotRequired {
            return "No notice is on record for it.".to_owned();
        }
        let last_day = last_day.unwrap_or_else(|| "the rulebook sets no last day to mail it".to_owned());
        return format!("No notice is on record for it; {last_day}.");
    };
    let mut told = format!("A notice ({}) was mailed on {}", words(notice.kind.as_str()), notice.mailed_on.0);
    if let Some(day) = notice.effective_on {
        told.push_str(&format!(", effective {}", day.0));
    }
    let in_time = match (record.late_by_days(), last_day) {
        (Some(0), Some(last_day)) => format!("in time: {last_day}"),
        (Some(1), Some(last_day)) => format!("one day late: {last_day}"),
        (Some(days), Some(last_day)) => format!("{days} days late: {last_day}"),
        (None, _) | (_, None) => "for which the rulebook sets no last day".to_owned(),
    };
    format!("{told}, {in_time}.")
}
