//! A body taken apart into lines as it comes, however it is cut into chunks.

/// A line that is not blank.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number, from 1; blank ones count.
    pub number: u64,
    /// Its text without the line's end; nothing where it is too long.
    pub text: Option<Vec<u8>>,
}

/// Takes chunks and gives lines.
#[derive(Debug)]
pub struct Lines {
    longest: usize,
    number: u64,
    held: Vec<u8>,
    too_long: bool,
}

impl Lines {
    /// Lines of so many bytes at most; of a longer one only the number is kept.
    pub fn new(longest: usize) -> Self {
        Self { longest, number: 1, held: Vec::new(), too_long: false }
    }

    /// The lines that a chunk completes.
    pub fn push(&mut self, mut chunk: &[u8]) -> Vec<Line> {
        let mut lines = Vec::new();
        while let Some(end) = chunk.iter().position(|c| *c == b'\n') {
            let (line, rest) = chunk.split_at(end);
            self.hold(line);
            lines.extend(self.end());
            self.number += 1;
            chunk = rest.get(1..).unwrap_or_default();
        }
        self.hold(chunk);
        lines
    }

    /// The last line, where the body does not end with a line's end.
    pub fn end(&mut self) -> Option<Line> {
        let mut text = std::mem::take(&mut self.held);
        if std::mem::take(&mut self.too_long) {
            return Some(Line { number: self.number, text: None });
        }
        if text.last() == Some(&b'\r') {
            text.pop();
        }
        let is_blank = text.iter().all(u8::is_ascii_whitespace);
        (!is_blank).then_some(Line { number: self.number, text: Some(text) })
    }

    /// The number of the line that is being read.
    pub fn number(&self) -> u64 {
        self.number
    }

    fn hold(&mut self, part: &[u8]) {
        self.too_long |= self.held.len() + part.len() > self.longest;
        if self.too_long {
            self.held = Vec::new();
        } else {
            self.held.extend_from_slice(part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(chunks: &[&str]) -> Vec<(u64, Option<String>)> {
        let mut lines = Lines::new(5);
        let mut all: Vec<Line> = chunks.iter().flat_map(|chunk| lines.push(chunk.as_bytes())).collect();
        all.extend(lines.end());
        all.into_iter().map(|line| (line.number, line.text.map(|text| String::from_utf8(text).unwrap()))).collect()
    }

    #[test]
    fn lines_are_whole_however_the_body_is_cut() {
        let expected =
            vec![(1, Some("ab".to_owned())), (3, Some("c".to_owned())), (4, None), (5, Some("d".to_owned()))];
        let whole = "ab\r\n\nc\n123456\nd";
        assert_eq!(lines(&[whole]), expected);
        let single: Vec<String> = whole.chars().map(String::from).collect();
        assert_eq!(lines(&single.iter().map(String::as_str).collect::<Vec<_>>()), expected);
        assert_eq!(lines(&["ab\n"]), [(1, Some("ab".to_owned()))]);
        assert!(lines(&["", "\n", " \n"]).is_empty());
        assert_eq!(lines(&["1234567"]), [(1, None)]);
    }
}
