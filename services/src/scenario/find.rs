//! Which files are meant by the paths that were given.

use std::path::{Path, PathBuf};

use super::Unreadable;

/// Folders of overlays, which lie beside the scenarios and are none.
const RULEBOOKS: &str = "rulebooks";

/// The scenario files of some paths, each folder's in the order of their names; and the paths that cannot be read.
pub fn files(paths: &[PathBuf]) -> (Vec<PathBuf>, Vec<Unreadable>) {
    let (mut files, mut unreadable) = (Vec::new(), Vec::new());
    for path in paths {
        let before = files.len();
        match path.is_dir() {
            true => below(path, &mut files, &mut unreadable),
            false => files.push(path.clone()),
        }
        if files.len() == before && unreadable.is_empty() {
            unreadable.push(about(path, "holds no scenario file"));
        }
    }
    (files, unreadable)
}

fn below(folder: &Path, files: &mut Vec<PathBuf>, unreadable: &mut Vec<Unreadable>) {
    let entries = std::fs::read_dir(folder).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
    let mut paths: Vec<PathBuf> = match entries {
        Ok(entries) => entries.into_iter().map(|entry| entry.path()).collect(),
        Err(error) => return unreadable.push(about(folder, &format!("cannot be looked into: {error}"))),
    };
    paths.sort();
    for path in paths {
        if path.is_dir() {
            if path.file_name().is_none_or(|name| name != RULEBOOKS) {
                below(&path, files, unreadable);
            }
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
}

fn about(path: &Path, problem: &str) -> Unreadable {
    Unreadable { file: path.to_owned(), line: None, problem: problem.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_walked_in_order_and_overlays_are_no_scenarios() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["b", "a/deep", "a/rulebooks"] {
            std::fs::create_dir_all(at(name)).unwrap();
        }
        for name in ["b/2.toml", "b/1.toml", "a/deep/3.toml", "a/rulebooks/own.toml", "a/README.md", "z.toml"] {
            std::fs::write(at(name), "").unwrap();
        }
        let (found, unreadable) = files(&[folder.path().to_owned()]);
        assert_eq!(found, ["a/deep/3.toml", "b/1.toml", "b/2.toml", "z.toml"].map(at));
        assert!(unreadable.is_empty());
    }

    #[test]
    fn a_folder_without_scenarios_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let (found, unreadable) = files(&[folder.path().to_owned(), folder.path().join("absent.toml")]);
        assert_eq!(found, [folder.path().join("absent.toml")], "that it is not there is said when it is read");
        assert_eq!(unreadable[0].problem, "holds no scenario file");
    }
}
