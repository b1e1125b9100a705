//! Selects the commit to deploy and records it.
