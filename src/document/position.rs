//! A position in a file, with line and column.

/// Line and column as editors count them: from 1, columns in UTF-16 code units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Position {
    /// From 1.
    pub line: usize,
    /// From 1, in UTF-16 code units.
    pub column: usize,
}

/// The position of a byte offset in any text.
pub fn position_in(text: &str, offset: usize) -> Position {
    position(text, &line_starts(text), offset)
}

pub(super) fn line_starts(text: &str) -> Vec<usize> {
    std::iter::once(0).chain(text.match_indices('\n').map(|(offset, _)| offset + 1)).collect()
}

pub(super) fn position(text: &str, lines: &[usize], offset: usize) -> Position {
    let line = lines.partition_point(|start| *start <= offset) - 1;
    let column = text.get(lines[line]..offset).map_or(0, |before| before.encode_utf16().count());
    Position { line: line + 1, column: column + 1 }
}
