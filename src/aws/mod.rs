//! Opens a session with AWS and refuses the wrong account; turns every SDK error into one that a person can act on.
//!
//! Knows no resource: what is read and written is the slices' business.

mod call;
mod cli;
mod codes;
mod endpoint;
mod error;
mod http;
mod listener;
mod messages;
mod open;
mod plain;
mod profiles;
mod retry;
mod session;
mod sso;
mod time;
mod variables;
mod variant;
mod why;

pub use self::call::{CallError, Cause, call};
pub use self::cli::Cli;
pub use self::endpoint::is_loopback;
pub use self::error::{Error, Origin, Source};
pub use self::http::http_client;
pub use self::listener::{Call, CallLog, Outcome};
pub use self::open::{Settings, Unverified, open, prepare};
pub use self::plain::{Answer, ecs, route53};
pub use self::retry::{Policy, retry};
pub use self::session::Session;
pub use self::sso::Token;
pub use self::time::rfc3339;
pub use self::variables::Variables;
pub use self::why::Why;
