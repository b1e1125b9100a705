//! The boxes of the picture and their texts.

use crate::explain::visible;
use crate::sensitive;

/// A box of the picture: its texts, then the boxes inside it.
#[derive(Debug, Default)]
pub(super) struct Tile {
    /// Used by arrows and marks: `app`, `public:us-west-2a`. Empty for a group that is not drawn.
    pub(super) id: String,
    pub(super) lines: Vec<Line>,
    pub(super) children: Vec<Tile>,
    /// Whether the children are side by side.
    pub(super) row: bool,
    /// Whether space is left for an arrow at its right.
    pub(super) lane: bool,
    /// Whether it is drawn as a frame around others.
    pub(super) frame: bool,
    /// How much of a row it takes, relative to the others.
    pub(super) share: f32,
    /// The CSS class of its border if a plan changes it.
    pub(super) mark: Option<&'static str>,
}

/// A text in a box.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) text: String,
    pub(super) style: Style,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Heading,
    /// The name of a box.
    Title,
    /// A value in a box.
    Detail,
    /// What a plan does to it, with the CSS class of the colour.
    Mark(&'static str),
}

/// A line of text; a text that looks like a secret is replaced by `***`.
pub(super) fn line(style: Style, text: impl AsRef<str>) -> Line {
    let text = text.as_ref();
    let hidden = sensitive::has_login(text)
        || text.split([' ', ',']).any(|word| sensitive::looks_secret(word).is_some());
    let text = if hidden { "***".to_owned() } else { visible(text).into_owned() };
    Line { text, style }
}

pub(super) fn detail(text: impl AsRef<str>) -> Line {
    line(Style::Detail, text)
}
