//! Small numbers: a count of a few people may tell who they are, so it is left out, and with it what would give it back.
//!
//! The counts of an answer are the leaves of a tree, by the groups they are summed by, one after another; every sum in that
//! tree may be asked for by itself. From the root down, a number that is too small is left out; where that is the only one
//! beside its siblings, the smallest of them goes with it, or a total would give it back; and below a number that is left
//! out two are left out too, or they would add up to it. Nothing is left out by what was asked before, so that an answer
//! is always the same.

use std::collections::{BTreeMap, BTreeSet};

/// The least number that is shown.
pub const LEAST_CELL: i64 = 11;

/// A group's values, one for each column that is summed by.
pub type Key = Vec<Option<String>>;

/// Leaves out what is too small. The first number of each group counts people: where it is too small, so are all of them.
pub fn suppressed(leaves: &BTreeMap<Key, Vec<i64>>, least: i64) -> BTreeMap<Key, Vec<Option<i64>>> {
    let width = leaves.values().next().map_or(0, Vec::len);
    let hidden: Vec<BTreeSet<Key>> = (0..width).map(|column| hidden(leaves, column, least)).collect();
    let shown = |(key, numbers): (&Key, &Vec<i64>)| {
        let cells = numbers.iter().zip(&hidden).map(|(number, hidden)| (!hidden.contains(key)).then_some(*number));
        (key.clone(), cells.collect())
    };
    leaves.iter().map(shown).collect()
}

/// The groups, of every depth, whose number in a column is left out.
fn hidden(leaves: &BTreeMap<Key, Vec<i64>>, column: usize, least: i64) -> BTreeSet<Key> {
    let depth = leaves.keys().next().map_or(0, Vec::len);
    let mut hidden = BTreeSet::new();
    for level in 0..=depth {
        let mut families: BTreeMap<Key, BTreeMap<Key, (i64, i64)>> = BTreeMap::new();
        for (leaf, numbers) in leaves {
            let parent = leaf.iter().take(level.saturating_sub(1)).cloned().collect();
            let child = leaf.iter().take(level).cloned().collect();
            let sums = families.entry(parent).or_default().entry(child).or_default();
            sums.0 += numbers.first().copied().unwrap_or(0);
            sums.1 += numbers.get(column).copied().unwrap_or(0);
        }
        for (parent, children) in families {
            let too_small = |(people, number): &(i64, i64)| *people < least || *number < least;
            let mut out: BTreeSet<&Key> =
                children.iter().filter(|(_, sums)| too_small(sums)).map(|(child, _)| child).collect();
            // The root has no siblings: nothing is subtracted from it.
            let needed: usize = match (level, out.len(), hidden.contains(&parent)) {
                (0, ..) | (_, 0, false) => 0,
                (..) => 2,
            };
            let mut others: Vec<(&Key, i64)> =
                children.iter().filter(|(child, _)| !out.contains(child)).map(|(key, sums)| (key, sums.1)).collect();
            others.sort_by_key(|(_, number)| *number);
            let missing = needed.saturating_sub(out.len());
            out.extend(others.into_iter().take(missing).map(|(key, _)| key));
            hidden.extend(out.into_iter().cloned());
        }
    }
    hidden
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(groups: &[(&str, i64)]) -> BTreeMap<Key, Vec<i64>> {
        let key = |text: &str| text.split('/').map(|part| Some(part.to_owned())).collect();
        groups.iter().map(|(text, number)| (key(text), vec![*number])).collect()
    }

    fn shown(groups: &[(&str, i64)]) -> Vec<Option<i64>> {
        suppressed(&leaves(groups), LEAST_CELL).into_values().map(|numbers| numbers[0]).collect()
    }

    #[test]
    fn a_small_number_is_left_out_and_the_least_of_the_others_with_it() {
        assert_eq!(shown(&[("a", 40), ("b", 11), ("c", 20)]), [Some(40), Some(11), Some(20)]);
        assert_eq!(shown(&[("a", 40), ("b", 10), ("c", 20)]), [Some(40), None, None]);
        assert_eq!(shown(&[("a", 40), ("b", 3), ("c", 7)]), [Some(40), None, None], "two hide one another");
        assert_eq!(shown(&[("a", 3)]), [None]);
        assert_eq!(shown(&[("a", 40), ("b", 0)]), [None, None], "that there is nobody is a small number too");
    }

    #[test]
    fn what_would_add_up_to_a_number_that_is_left_out_is_left_out_too() {
        // Of the plan, ecm goes with respite; of ecm, two counties go, or they would add up to it.
        let groups = [("p/ecm/x", 50), ("p/ecm/y", 40), ("p/ecm/z", 30), ("p/respite/x", 5)];
        assert_eq!(shown(&groups), [Some(50), None, None, None]);
        assert_eq!(shown(&[("p/ecm/x", 50), ("p/respite/x", 5)]), [None, None]);
    }

    #[test]
    fn a_group_of_few_people_shows_none_of_its_numbers() {
        let groups: BTreeMap<Key, Vec<i64>> = [("a", vec![5, 30]), ("b", vec![50, 60]), ("c", vec![60, 90])]
            .map(|(k, v)| (vec![Some(k.into())], v))
            .into();
        let shown = suppressed(&groups, LEAST_CELL);
        assert_eq!(shown.values().map(|n| n[1]).collect::<Vec<_>>(), [None, None, Some(90)]);
    }

    /// Whoever knows every sum that may be asked for, at every depth, and subtracts as they please, finds none that is left out.
    #[test]
    fn nothing_that_is_left_out_can_be_found_by_subtraction() {
        use rand::{Rng, SeedableRng};
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(5);
        for _ in 0..300 {
            let mut groups = BTreeMap::new();
            for _ in 0..random.random_range(1..12) {
                let key: Key = (0..3).map(|_| Some(random.random_range(0..3).to_string())).collect();
                groups.insert(key, vec![random.random_range(0..40)]);
            }
            let out = hidden(&groups, 0, LEAST_CELL);
            for level in 1..=3 {
                let parents: BTreeSet<Key> =
                    groups.keys().map(|key| key.iter().take(level - 1).cloned().collect()).collect();
                for parent in parents {
                    let children: BTreeSet<Key> = groups
                        .keys()
                        .filter(|key| key.starts_with(&parent))
                        .map(|key| key.iter().take(level).cloned().collect())
                        .collect();
                    let missing = children.iter().filter(|child| out.contains(*child)).count();
                    let total_is_shown = !out.contains(&parent);
                    assert!(missing != 1 || children.len() == 1, "{groups:?} {parent:?}");
                    assert!(total_is_shown || missing >= children.len().min(2), "{groups:?} {parent:?}");
                    assert!(!(total_is_shown && children.len() == 1 && missing == 1), "{groups:?} {parent:?}");
                }
            }
        }
    }
}
