//! The lines around a finding, cut to the terminal's width and without secrets.
//!
//! Of a range over several lines only the part on the first line is marked.

use std::ops::Range;

use super::located::Mask;
use super::visible;

/// Some lines of a text, cut to a width.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Excerpt {
    /// The number of the first line, from 1.
    pub(super) first_line: usize,
    /// The lines.
    pub(super) text: String,
    /// The position of each wanted range in `text`; `None` if it is outside the part of the line that is shown.
    pub(super) marks: Vec<Option<Range<usize>>>,
}

/// Printed instead of a secret, of text that is cut, and of a tab.
const MASKED: &str = "***";
const CUT: &str = "...";
const TAB: &str = "    ";

impl Excerpt {
    /// The lines from the first to the last of the ranges. A long line is cut so that its first range is visible.
    pub(super) fn new(text: &str, mask: &Mask<'_>, width: usize, wanted: &[Range<usize>]) -> Self {
        let lines: Vec<_> = wanted.iter().map(|range| line(text, range.start)).collect();
        let start = lines.iter().map(|line| line.start).min().unwrap_or(0);
        let end = lines.iter().map(|line| line.start).max().unwrap_or(0);
        let mut excerpt = Self {
            first_line: text[..start].matches('\n').count() + 1,
            text: String::new(),
            marks: vec![None; wanted.len()],
        };
        let mut next = Some(start);
        while let Some(start) = next.filter(|start| *start <= end) {
            let here = line(text, start);
            next = text[here.end..].find('\n').map(|at| here.end + at + 1);
            let on_it: Vec<usize> = (0..wanted.len()).filter(|i| lines[*i] == here).collect();
            let focus =
                on_it.first().map_or(start..start, |i| wanted[*i].start..wanted[*i].end.min(here.end));
            let shown = ShownLine::new(text, here.clone(), mask, width, &focus);
            let offset = excerpt.text.len();
            excerpt.text.push_str(&shown.text());
            for i in on_it {
                let range = wanted[i].start..wanted[i].end.min(here.end).max(wanted[i].start);
                let range = shown.mark(range);
                excerpt.marks[i] = range.map(|range| offset + range.start..offset + range.end);
            }
            excerpt.text.push('\n');
        }
        excerpt
    }
}

/// The line that contains an offset, without its line break.
fn line(text: &str, offset: usize) -> Range<usize> {
    let start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
    let end = text[offset..].find('\n').map_or(text.len(), |at| offset + at);
    let end = start + text[start..end].trim_end_matches('\r').len();
    start..end.max(start)
}

/// A line as it is shown, in cells with the offset of the character that each cell shows.
struct ShownLine {
    cells: Vec<(usize, String)>,
    end: usize,
    cut: (bool, bool),
}

impl ShownLine {
    fn new(text: &str, line: Range<usize>, mask: &Mask<'_>, width: usize, focus: &Range<usize>) -> Self {
        let edge = |mut offset: usize| {
            while !text.is_char_boundary(offset) {
                offset -= 1;
            }
            offset
        };
        // At most this part can be visible, even if every character is one column wide.
        let near = edge(focus.start.saturating_sub(4 * width).max(line.start))
            ..edge((focus.start + 8 * width).min(line.end));
        let mut cells: Vec<(usize, String)> = Vec::new();
        let mut masked = None;
        for (at, char) in text[near.clone()].char_indices() {
            let at = near.start + at;
            let secret = mask.spans.iter().position(|span| replaced_part(text, span).contains(&at));
            if secret.is_some() && secret == masked {
                continue;
            }
            masked = secret;
            cells.push(match (secret, char) {
                (Some(_), _) => (at, MASKED.to_owned()),
                (None, '\t') => (at, TAB.to_owned()),
                (None, char) => (at, visible::cell(char)),
            });
        }
        let mut line_cells =
            Self { cells, end: near.end, cut: (near.start > line.start, near.end < line.end) };
        line_cells.cut_to_width(width, focus);
        line_cells
    }

    /// Cuts the line around the focus; a third of the free columns is before the focus.
    fn cut_to_width(&mut self, width: usize, focus: &Range<usize>) {
        let wide: usize = self.cells.iter().map(columns).sum();
        if wide <= width && self.cut == (false, false) {
            return;
        }
        let room = width - 2 * CUT.len();
        let inside = |cell: &&(usize, String)| (focus.start..focus.end).contains(&cell.0);
        let marked: usize = self.cells.iter().filter(inside).map(columns).sum();
        let mut before = room.saturating_sub(marked) / 3;
        let first = self.cells.partition_point(|cell| cell.0 < focus.start);
        let mut from = first;
        while from > 0 && columns(&self.cells[from - 1]) <= before {
            before -= columns(&self.cells[from - 1]);
            from -= 1;
        }
        let mut used: usize = self.cells[from..first].iter().map(columns).sum();
        let mut to = first;
        while to < self.cells.len() && used + columns(&self.cells[to]) <= room {
            used += columns(&self.cells[to]);
            to += 1;
        }
        self.cut.0 |= from > 0;
        self.cut.1 |= to < self.cells.len();
        self.end = self.cells.get(to).map_or(self.end, |cell| cell.0);
        self.cells.truncate(to);
        self.cells.drain(..from);
    }

    fn text(&self) -> String {
        let mut text = String::new();
        if self.cut.0 {
            text.push_str(CUT);
        }
        self.cells.iter().for_each(|(_, cell)| text.push_str(cell));
        if self.cut.1 {
            text.push_str(CUT);
        }
        text
    }

    /// The position of a range in the shown text, without a part that is cut off at the end.
    fn mark(&self, range: Range<usize>) -> Option<Range<usize>> {
        let start = self.cells.first().map_or(self.end, |cell| cell.0);
        if range.start < start || range.start > self.end || (range.start == self.end && self.cut.1) {
            return None;
        }
        let offset = |at: usize| {
            let before = self.cells.iter().take_while(|cell| cell.0 < at);
            let cut = if self.cut.0 { CUT.len() } else { 0 };
            cut + before.map(|(_, cell)| cell.len()).sum::<usize>()
        };
        Some(offset(range.start)..offset(range.end.min(self.end)))
    }
}

/// The maximum width of a cell: a character that is not ASCII may be two columns wide.
fn columns((_, cell): &(usize, String)) -> usize {
    cell.chars().map(|char| if char.is_ascii() { 1 } else { 2 }).sum()
}

/// The part of a secret that is replaced: a string keeps its quotes.
fn replaced_part(text: &str, span: &Range<usize>) -> Range<usize> {
    let value = &text[span.clone()];
    if value.len() >= 2 && value.starts_with('"') && value.ends_with('"') {
        span.start + 1..span.end - 1
    } else {
        span.clone()
    }
}
