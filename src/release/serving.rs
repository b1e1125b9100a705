//! The answers of the running app, as links of the status.

use url::Url;

use super::status::{Link, Verdict, link};
use crate::account::app::Judged;
use crate::account::observe;
use crate::config::Config;
use crate::web::Web;

/// Asks the app at its address; each answer is a link.
pub async fn observe(web: &Web, config: &Config, base: &Url) -> Vec<Link> {
    let app = Box::pin(observe::app::app(web, base)).await;
    let links = app.judge(config).into_iter().map(|answer| {
        let verdict = match answer.judged {
            Judged::Right => Verdict::Agrees,
            Judged::Wrong => Verdict::Differs,
            Judged::Unknown => Verdict::Unknown,
        };
        Link { help: answer.help, ..link(answer.name, verdict, answer.found) }
    });
    links.collect()
}
