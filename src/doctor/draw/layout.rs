//! Places the boxes with flexbox; each box is as large as its text needs.

use taffy::prelude::{
    AvailableSpace, FlexDirection, FlexWrap, NodeId, Rect, Size, Style as Rules, TaffyTree, auto, length,
};

use super::tile::{Line, Style, Tile};

/// The picture's width in pixels.
pub(super) const WIDTH: f32 = 1000.0;

/// The width of a character relative to its height: `DejaVu` Sans Mono is the widest of the usual monospaced fonts (0.602); the
/// rest is a margin for rounding.
const CHARACTER: f32 = 0.615;

/// The line height relative to the font size.
const LINE: f32 = 1.4;

/// The minimum width of a box, so that words are not broken.
const NARROWEST: f32 = 165.0;

/// The width of the space for an arrow beside a row.
const LANE: f32 = 48.0;

impl Style {
    /// The height of the text in pixels.
    pub(super) const fn size(self) -> f32 {
        match self {
            Self::Heading => 20.0,
            Self::Title => 14.0,
            Self::Detail | Self::Mark(_) => 13.0,
        }
    }
}

/// A box with its position.
pub(super) struct Placed {
    pub(super) id: String,
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) width: f32,
    pub(super) height: f32,
    /// Whether it has a border.
    pub(super) drawn: bool,
    pub(super) frame: bool,
    pub(super) mark: Option<&'static str>,
    pub(super) texts: Vec<Written>,
}

/// A line of text with its position; `y` is the baseline.
pub(super) struct Written {
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) line: Line,
}

/// Places a box and everything inside it; the outer box comes first.
pub(super) fn place(root: &Tile) -> Vec<Placed> {
    let mut tree: TaffyTree<Vec<Line>> = TaffyTree::new();
    let built = build(&mut tree, root, true);
    let space = Size { width: AvailableSpace::Definite(WIDTH), height: AvailableSpace::MaxContent };
    tree.compute_layout_with_measure(built.node, space, |known, available, _, lines, _| {
        let Some(lines) = lines else { return Size::ZERO };
        let widest = lines.iter().map(|line| width(&line.text, line.style)).fold(0.0, f32::max);
        let width = known.width.unwrap_or(match available.width {
            AvailableSpace::Definite(width) => width.min(widest),
            AvailableSpace::MinContent => widest.min(NARROWEST),
            AvailableSpace::MaxContent => widest,
        });
        let height = wrapped(lines, width).iter().map(|line| line.style.size() * LINE).sum();
        Size { width, height: known.height.unwrap_or(height) }
    })
    .expect("every node belongs to this tree");
    let mut placed = Vec::new();
    collect(&tree, &built, root, (0.0, 0.0), &mut placed);
    placed
}

/// The layout nodes of a box.
struct Built {
    node: NodeId,
    text: Option<NodeId>,
    children: Vec<Built>,
}

fn build(tree: &mut TaffyTree<Vec<Line>>, tile: &Tile, is_root: bool) -> Built {
    let text = (!tile.lines.is_empty()).then(|| {
        tree.new_leaf_with_context(Rules::default(), tile.lines.clone()).expect("no node was removed")
    });
    let children: Vec<Built> = tile.children.iter().map(|child| build(tree, child, false)).collect();
    let is_drawn = tile.is_drawn();
    let gap = match (is_root, tile.row || !is_drawn) {
        (true, _) => 22.0,
        (false, true) => 14.0,
        (false, false) => 26.0,
    };
    let rules = Rules {
        display: taffy::Display::Flex,
        flex_direction: if tile.row { FlexDirection::Row } else { FlexDirection::Column },
        flex_wrap: if tile.row { FlexWrap::Wrap } else { FlexWrap::NoWrap },
        flex_grow: tile.share,
        flex_basis: if tile.share > 0.0 { length(0.0) } else { auto() },
        min_size: Size { width: if tile.share > 0.0 { length(NARROWEST) } else { auto() }, height: auto() },
        size: Size { width: if is_root { length(WIDTH) } else { auto() }, height: auto() },
        gap: Size {
            width: length(gap),
            height: length(if is_drawn && tile.children.is_empty() { 0.0 } else { gap }),
        },
        padding: match (is_root, is_drawn, tile.lane) {
            (true, _, _) => Rect::length(20.0),
            (false, true, _) => Rect::length(12.0),
            (false, false, true) => Rect { right: length(LANE), ..Rect::zero() },
            (false, false, false) => Rect::zero(),
        },
        ..Rules::default()
    };
    let below: Vec<NodeId> = text.into_iter().chain(children.iter().map(|child| child.node)).collect();
    let node = tree.new_with_children(rules, &below).expect("no node was removed");
    Built { node, text, children }
}

impl Tile {
    fn is_drawn(&self) -> bool {
        !self.id.is_empty()
    }
}

fn collect(
    tree: &TaffyTree<Vec<Line>>,
    built: &Built,
    tile: &Tile,
    (left, top): (f32, f32),
    placed: &mut Vec<Placed>,
) {
    let own = tree.layout(built.node).expect("it was laid out");
    let (x, y) = (left + own.location.x, top + own.location.y);
    let mut texts = Vec::new();
    if let Some(text) = built.text {
        let at = tree.layout(text).expect("it was laid out");
        let mut base = y + at.location.y;
        for line in wrapped(&tile.lines, at.size.width) {
            let height = line.style.size() * LINE;
            texts.push(Written { x: x + at.location.x, y: base + line.style.size() * 1.1, line });
            base += height;
        }
    }
    placed.push(Placed {
        id: tile.id.clone(),
        x,
        y,
        width: own.size.width,
        height: own.size.height,
        drawn: tile.is_drawn(),
        frame: tile.frame,
        mark: tile.mark,
        texts,
    });
    for (child, tile) in built.children.iter().zip(&tile.children) {
        collect(tree, child, tile, (x, y), placed);
    }
}

/// The width of a text; characters outside ASCII may be twice as wide.
fn width(text: &str, style: Style) -> f32 {
    cells(text) * CHARACTER * style.size()
}

fn cells(text: &str) -> f32 {
    text.chars().map(|char| if char.is_ascii() || "−±○".contains(char) { 1.0 } else { 2.0 }).sum()
}

/// Wraps lines to a width: after a space if possible, otherwise after a punctuation mark, otherwise inside a word.
fn wrapped(lines: &[Line], room: f32) -> Vec<Line> {
    let mut all = Vec::new();
    for line in lines {
        let mut rest = line.text.as_str();
        while width(rest, line.style) > room + 0.5 {
            let mut taken = 0;
            let (mut space, mut punctuation) = (None, None);
            for (at, char) in rest.char_indices() {
                let end = at + char.len_utf8();
                if taken > 0 && width(&rest[..end], line.style) > room + 0.5 {
                    break;
                }
                taken = end;
                match char {
                    ' ' => space = Some(end),
                    '/' | ':' | ',' | '-' | '.' | '@' => punctuation = Some(end),
                    _ => {}
                }
            }
            let (first, next) = rest.split_at(space.or(punctuation).unwrap_or(taken));
            all.push(Line { text: first.trim_end().to_owned(), style: line.style });
            rest = next.trim_start();
            if next.is_empty() {
                break;
            }
        }
        if !rest.is_empty() {
            all.push(Line { text: rest.to_owned(), style: line.style });
        }
    }
    all
}
