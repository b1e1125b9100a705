//! How the running application answers, as links of the chain.

use url::Url;

use super::status::{Link, Verdict, link};
use crate::account::app::Judged;
use crate::account::observe;
use crate::config::Config;
use crate::web::Web;

/// Asks the app at its address; each answer is a link of the chain.
pub async fn look(web: &Web, config: &Config, base: &Url) -> Vec<Link> {
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
