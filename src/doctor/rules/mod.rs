//! One file a theme: what may be wrong, and how it is looked for.

pub mod plan;
