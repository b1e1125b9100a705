//! The policy simulator's answers, at the wire: a decided "no" refuses, anything else goes on.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use super::support;
use crate::support::{Folder, Ran, run, snapshot};

/// A few calls of IAM and STS, with one answer of the simulator.
struct Account {
    endpoint: String,
    calls: Arc<Mutex<Vec<String>>>,
}

const SESSION: &str = "arn:aws:sts::123456789012:assumed-role/Operator/ann";
const ROLE: &str = "arn:aws:iam::123456789012:role/team/Operator";

impl Account {
    /// `simulated`: status and body of the simulator's answer; ACTION and RESOURCE are filled in.
    fn start(caller: &'static str, simulated: (u16, &'static str)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let calls = Arc::new(Mutex::new(Vec::new()));
        let heard = calls.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                answer(stream, caller, simulated, &heard);
            }
        });
        Self { endpoint, calls }
    }

    fn apply(&self, arguments: &str) -> Ran {
        let folder = Folder::of("test");
        let mut command = support::osmt("osmt-bootstrap");
        command.envs([
            ("AWS_ENDPOINT_URL", self.endpoint.as_str()),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_MAX_ATTEMPTS", "1"),
        ]);
        let arguments = format!("apply --only account.password-policy --yes {arguments}");
        run(&mut folder.on(command, &arguments))
    }

    fn called(&self, action: &str) -> usize {
        let calls = self.calls.lock().unwrap();
        calls.iter().filter(|call| call.starts_with(action)).count()
    }
}

fn answer(mut stream: TcpStream, caller: &str, simulated: (u16, &str), calls: &Mutex<Vec<String>>) {
    let body = request_body(&mut stream);
    let field = |name: &str| {
        let value = body.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        value.unwrap_or_default().replace("%3A", ":").replace("%2A", "*").replace("%2F", "/")
    };
    let action = field("Action");
    calls.lock().unwrap().push(format!("{action} {}", field("PolicySourceArn")));
    let made = calls.lock().unwrap().iter().any(|call| call.starts_with("UpdateAccountPasswordPolicy"));
    let (status, result) = match action.as_str() {
        "GetCallerIdentity" => {
            (200, format!("<Account>123456789012</Account><Arn>{caller}</Arn><UserId>A</UserId>"))
        }
        "GetRole" => (
            200,
            format!(
                "<Role><Path>/team/</Path><RoleName>Operator</RoleName><RoleId>A</RoleId><Arn>{ROLE}</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate></Role>"
            ),
        ),
        "GetAccountPasswordPolicy" if made => (
            200,
            format!(
                "<PasswordPolicy><MinimumPasswordLength>14</MinimumPasswordLength><PasswordReusePrevention>24</PasswordReusePrevention>{}</PasswordPolicy>",
                [
                    "RequireSymbols",
                    "RequireNumbers",
                    "RequireUppercaseCharacters",
                    "RequireLowercaseCharacters",
                    "AllowUsersToChangePassword"
                ]
                .map(|name| format!("<{name}>true</{name}>"))
                .concat()
            ),
        ),
        "GetAccountPasswordPolicy" => (404, error("NoSuchEntity")),
        "GetAccountSummary" => (200, "<SummaryMap></SummaryMap>".to_owned()),
        "SimulatePrincipalPolicy" => (
            simulated.0,
            simulated
                .1
                .replace("ACTION", &field("ActionNames.member.1"))
                .replace("RESOURCE", &field("ResourceArns.member.1")),
        ),
        _ => (200, String::new()),
    };
    let text = if status == 200 {
        format!("<{action}Response><{action}Result>{result}</{action}Result></{action}Response>")
    } else {
        result
    };
    let reply = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: text/xml\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
        text.len()
    );
    let _ = stream.write_all(reply.as_bytes());
}

fn request_body(stream: &mut TcpStream) -> String {
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return body.to_owned();
            }
        }
        match stream.read(&mut piece) {
            Ok(count) if count > 0 => bytes.extend_from_slice(&piece[..count]),
            _ => return String::new(),
        }
    }
}

fn error(code: &str) -> String {
    format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"
    )
}

const DENIED: &str = "<EvaluationResults><member><EvalActionName>ACTION</EvalActionName><EvalResourceName>RESOURCE</EvalResourceName><EvalDecision>implicitDeny</EvalDecision></member></EvaluationResults><IsTruncated>false</IsTruncated>";
const ALLOWED: &str = "<EvaluationResults><member><EvalActionName>ACTION</EvalActionName><EvalResourceName>RESOURCE</EvalResourceName><EvalDecision>allowed</EvalDecision></member></EvaluationResults>";
const DEPENDS: &str = "<EvaluationResults><member><EvalActionName>ACTION</EvalActionName><EvalResourceName>RESOURCE</EvalResourceName><EvalDecision>explicitDeny</EvalDecision><MissingContextValues><member>aws:MultiFactorAuthAge</member></MissingContextValues></member></EvaluationResults>";
const ORGANISATION: &str = "<EvaluationResults><member><EvalActionName>ACTION</EvalActionName><EvalResourceName>RESOURCE</EvalResourceName><EvalDecision>implicitDeny</EvalDecision><OrganizationsDecisionDetail><AllowedByOrganizations>false</AllowedByOrganizations></OrganizationsDecisionDetail></member></EvaluationResults>";

#[test]
fn a_decided_no_refuses_before_the_first_write() {
    let account = Account::start(SESSION, (200, DENIED));
    account.apply("--check-permissions always").exits(4).matches("bootstrap/permission-denied", &[]);
    assert_eq!(account.called("UpdateAccountPasswordPolicy"), 0);
    // A session is asked about by its role, with the path that the session's ARN lacks.
    assert_eq!(account.called(&format!("SimulatePrincipalPolicy {ROLE}")), 1);
    // On an emulator the simulator is asked only with the flag, and `apply` may always try.
    for flags in ["", "--check-permissions never"] {
        let account = Account::start(SESSION, (200, DENIED));
        account.apply(flags).exits(0);
        assert_eq!(account.called("SimulatePrincipalPolicy"), 0);
        assert_eq!(account.called("UpdateAccountPasswordPolicy"), 1);
    }
}

#[test]
fn a_yes_is_silent() {
    let account = Account::start(SESSION, (200, ALLOWED));
    account.apply("--check-permissions always -v").exits(0).lacks("could not check");
    assert_eq!(account.called("UpdateAccountPasswordPolicy"), 1);
}

#[test]
fn what_is_not_decided_goes_on_with_one_line() {
    let refused =
        "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>";
    let lacking =
        "<ErrorResponse><Error><Code>NotImplemented</Code><Message>no</Message></Error></ErrorResponse>";
    let mut all = String::new();
    for (what, caller, simulated) in [
        ("a condition without a value", SESSION, (200, DEPENDS)),
        ("a policy of the organisation", SESSION, (200, ORGANISATION)),
        ("the simulator is denied", SESSION, (403, refused)),
        ("the simulator is not implemented", SESSION, (501, lacking)),
        ("the root user", "arn:aws:iam::123456789012:root", (200, DENIED)),
    ] {
        let account = Account::start(caller, simulated);
        all += &account.apply("--check-permissions always").exits(0).transcript(what);
        assert_eq!(account.called("UpdateAccountPasswordPolicy"), 1);
    }
    snapshot("bootstrap/permission-unsure", &all, &[]);
}
