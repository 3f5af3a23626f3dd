//! Which dossiers stay at hand when there are too many: those used last, counted by their events, for an event is what
//! takes memory.

/// The turn from which on dossiers stay, so that no more than half of `most` events do; none while all may stay.
///
/// `used` gives for each dossier the turn it was last used in and how many events it holds.
pub fn keep_from(used: impl IntoIterator<Item = (u64, usize)>, most: usize) -> Option<u64> {
    let mut used: Vec<(u64, usize)> = used.into_iter().collect();
    if used.iter().map(|(_, events)| events).sum::<usize>() <= most {
        return None;
    }
    used.sort_unstable_by_key(|(turn, _)| std::cmp::Reverse(*turn));
    let mut events = 0;
    let first_gone = used.iter().find(|(_, held)| {
        events += held;
        events > most / 2
    });
    // All of one turn go together: a turn's dossiers are as good as one another.
    first_gone.map(|(turn, _)| turn + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_unused_go_first_and_nothing_goes_without_need() {
        let used = [(1, 40), (2, 30), (3, 20), (4, 20)];
        assert_eq!(keep_from(used, 110), None);
        assert_eq!(keep_from(used, 100), Some(3));
        assert_eq!(keep_from([(5, 200)], 100), Some(6));
    }
}
