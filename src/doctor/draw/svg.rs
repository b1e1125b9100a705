//! Writes placed boxes as an SVG that follows the reader's light or dark scheme.

use std::fmt::Write as _;

use super::layout::{Placed, WIDTH};
use super::tile::Style;

/// Colours by variable, so that the dark scheme replaces a few lines.
const LOOKS: &str = "\
svg { --paper: #ffffff; --ink: #1b1f24; --soft: #57606a; --line: #8c959f; --box: #f6f8fa; --created: #116329; --changed: #7d4e00; --replaced: #a40e26; --destroyed: #a40e26; --forgotten: #57606a; --unclear: #8250df; }
@media (prefers-color-scheme: dark) { svg { --paper: #0d1117; --ink: #e6edf3; --soft: #a5adb6; --line: #6e7681; --box: #161b22; --created: #56d364; --changed: #e3b341; --replaced: #ff7b72; --destroyed: #ff7b72; --forgotten: #a5adb6; --unclear: #d2a8ff; } }
text { font-family: \"DejaVu Sans Mono\", Menlo, Consolas, \"Liberation Mono\", monospace; white-space: pre; fill: var(--ink); }
.heading, .title { font-weight: bold; }
.detail { fill: var(--soft); }
.paper { fill: var(--paper); }
.box { fill: var(--box); stroke: var(--line); }
.frame { fill: none; stroke: var(--line); stroke-dasharray: 5 4; }
.arrow { stroke: var(--soft); stroke-width: 1.5; fill: none; marker-end: url(#head); }
.head { fill: var(--soft); }
";

const MARKS: [&str; 6] = ["created", "changed", "replaced", "destroyed", "forgotten", "unclear"];

/// The content of the file.
pub(super) fn write(title: &str, placed: &[Placed], arrows: &[(&str, &str)]) -> String {
    let height = placed.first().map_or(0.0, |root| root.height).ceil();
    let mut out = String::new();
    let title = escaped(title);
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" role=\"img\">\n<title>{title}</title>\n<style>\n{LOOKS}"
    );
    for mark in MARKS {
        let _ = writeln!(
            out,
            "text.{mark} {{ fill: var(--{mark}); font-weight: bold; }} rect.{mark} {{ stroke: var(--{mark}); stroke-width: 3; }}"
        );
    }
    out.push_str("</style>\n");
    let _ = writeln!(
        out,
        "<defs><marker id=\"head\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\"><path class=\"head\" d=\"M0 0L8 4L0 8z\"/></marker></defs>\n<rect class=\"paper\" width=\"{WIDTH}\" height=\"{height}\"/>",
    );
    for one in placed.iter().filter(|one| one.drawn) {
        let kind = if one.frame { "frame" } else { "box" };
        let mark = one.mark.map(|mark| format!(" {mark}")).unwrap_or_default();
        let _ = writeln!(
            out,
            "<rect class=\"{kind}{mark}\" data-part=\"{}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"6\"/>",
            escaped(&one.id),
            one.x,
            one.y,
            one.width,
            one.height
        );
    }
    for (from, to) in arrows {
        arrow(&mut out, placed, from, to);
    }
    for text in placed.iter().flat_map(|one| &one.texts) {
        let style = text.line.style;
        let class = match style {
            Style::Heading => "heading",
            Style::Title => "title",
            Style::Detail => "detail",
            Style::Mark(mark) => mark,
        };
        let _ = writeln!(
            out,
            "<text class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" font-size=\"{}\">{}</text>",
            text.x,
            text.y,
            style.size(),
            escaped(&text.line.text)
        );
    }
    out.push_str("</svg>\n");
    out
}

/// A vertical line between two boxes, near their common right edge: titles begin at the left.
fn arrow(out: &mut String, placed: &[Placed], from: &str, to: &str) {
    let find = |id: &str| placed.iter().find(|one| one.id == id);
    let (Some(from), Some(to)) = (find(from), find(to)) else { return };
    let right = (from.x + from.width).min(to.x + to.width);
    let left = from.x.max(to.x);
    let (x, top, bottom) = (right - 24.0, from.y + from.height, to.y);
    if left < x && top < bottom {
        let _ = writeln!(out, "<path class=\"arrow\" d=\"M{x:.1} {top:.1}V{bottom:.1}\"/>");
    }
}

/// Escapes a text for XML; characters that XML forbids are left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => {}
            char if char.is_control() => {}
            char => out.push(char),
        }
    }
    out
}
