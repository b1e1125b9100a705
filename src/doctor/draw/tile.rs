//! The boxes of the picture and their texts.

use crate::explain::visible;
use crate::sensitive;

/// A box of the picture: its texts, then what is in it.
#[derive(Debug, Default)]
pub(super) struct Tile {
    /// What arrows and plans call it: `app`, `public:us-west-2a`.
    pub(super) id: String,
    pub(super) lines: Vec<Line>,
    pub(super) children: Vec<Tile>,
    /// The children are side by side.
    pub(super) row: bool,
    /// An arrow passes at its right.
    pub(super) lane: bool,
    /// It surrounds others, and is drawn so.
    pub(super) frame: bool,
    /// How much of a row it takes, beside others.
    pub(super) share: f32,
    /// The class of its border, where a plan touches it.
    pub(super) mark: Option<&'static str>,
}

/// A text in a box.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) text: String,
    pub(super) style: Style,
}

/// How a text looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// The picture's heading.
    Heading,
    /// What a box is.
    Title,
    /// A value of it.
    Detail,
    /// What a plan does to it; the class of its colour.
    Mark(&'static str),
}

/// A text as it may be shown: what looks like a secret is not.
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
