//! A fault at every single call of `apply`, `certificate` and `destroy`, with the admin role and without: the next run converges to the same state.
//!
//! By default a sample of the calls, spread over the run, meets one kind of fault each, in turn; with `OSMT_FAULTS=all` every
//! call meets every kind.

use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::place::{Place, zone};
use crate::proxy::{Fault, Proxy};
use crate::support::Emulator;

/// No run may take longer than this, whatever happens to it.
const PATIENCE: Duration = Duration::from_secs(90);

/// The call that goes to each region, and how many of them meet a fault where not all do.
const LISTING: &str = "CertificateManager.ListCertificates";
const ALIKE: usize = 3;

/// How many calls of a run meet a fault where not all do: each kind of fault three times.
const SAMPLE: usize = 3 * Fault::ALL.len();

/// A verb under test: what it wants before, how it is run, and how the same binary proves that it converged.
struct Subject {
    prepare: fn(&Place<'_>),
    arguments: fn(&Place<'_>) -> Vec<String>,
    proof: &'static [&'static str],
    /// Asked of the account by a way of its own when all cases are through; it must answer true.
    converged: &'static str,
}

const APPLY: Subject = Subject {
    prepare: |_| {},
    arguments: |_| words("apply --yes"),
    proof: &["status"],
    converged: "
s3, db = client('s3'), client('dynamodb')
buckets = [one['Name'] for one in s3.list_buckets()['Buckets']]
answer = len(buckets) > 0 and all(
  s3.get_bucket_versioning(Bucket=b)['Status'] == 'Enabled' and all(s3.get_public_access_block(Bucket=b)['PublicAccessBlockConfiguration'].values())
  and 'OsmtTlsOnly' in s3.get_bucket_policy(Bucket=b)['Policy'] for b in buckets)",
};

const CERTIFICATE: Subject = Subject {
    prepare: |_| {},
    arguments: |_| words("certificate --yes"),
    proof: &["certificate", "--dry-run"],
    // One certificate a domain, however often it was tried.
    converged: "
names = [one['DomainName'] for page in client('acm').get_paginator('list_certificates').paginate() for one in page['CertificateSummaryList']]
answer = len(names) > 0 and len(names) == len(set(names))",
};

const DESTROY: Subject = Subject {
    prepare: |place| {
        place.run(&["apply", "--yes"]).exits(0);
        place.run(&["certificate", "--yes"]).exits(0);
        place.put(
            "osmt/x/terraform.tfstate",
            "{\"lineage\":\"x\",\"resources\":[],\"padding\":\"so that it is large enough to be read\"}",
        );
    },
    arguments: |place| {
        let mut arguments = words("destroy --yes --confirm");
        arguments.push(place.env.clone());
        arguments
    },
    proof: &["destroy", "--dry-run"],
    // A validation record stays where another region did not say whether it needs it.
    converged: "answer = [] == client('s3').list_buckets()['Buckets'] + client('dynamodb').list_tables()['TableNames'] + client('acm').list_certificates()['CertificateSummaryList']",
};

/// A bucket and a table that existed before, with objects and items of others.
const ADOPTED_DESTROYED: Subject = Subject {
    prepare: |place| {
        place.adopts("campus-tfstate", "terraform-locks");
        place.run(&["apply", "--yes"]).exits(0);
        place.use_state();
    },
    arguments: DESTROY.arguments,
    proof: DESTROY.proof,
    converged: "
s3, db = client('s3'), client('dynamodb')
buckets = [one['Name'] for one in s3.list_buckets()['Buckets']]
tables = db.list_tables()['TableNames']
keys = [[(one['Key'], one['IsLatest']) for one in s3.list_object_versions(Bucket=b).get('Versions', [])] for b in buckets]
items = [sorted(one['LockID']['S'] for one in db.scan(TableName=t)['Items']) for t in tables]
answer = len(buckets) > 0 and len(tables) == len(buckets) and all(
  one == [('artifacts/lms-release.zip', True), ('lms/terraform.tfstate', True)] for one in keys) and all(
  one == ['campus-tfstate/' + name + '/terraform.tfstate-md5' for name in ('hr', 'lms', 'sis')] for one in items)",
};

const ADMIN: Subject = Subject {
    prepare: |_| {},
    arguments: |_| words(MAKE_ADMIN),
    proof: &["status", "--only", "admin"],
    converged: "
iam = client('iam')
roles = [one['RoleName'] for one in iam.list_roles()['Roles']]
answer = len(roles) > 0 and all(len(iam.list_attached_role_policies(RoleName=one)['AttachedPolicies']) == 6 for one in roles)",
};

const ADMIN_DESTROYED: Subject = Subject {
    prepare: |place| {
        let arguments = words(MAKE_ADMIN);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        place.run(&arguments).exits(0);
    },
    arguments: DESTROY.arguments,
    proof: DESTROY.proof,
    converged: "answer = [] == client('iam').list_roles()['Roles'] + client('iam').list_policies(Scope='Local')['Policies']",
};

/// The roles of the CI system. The provider is one for the account: each environment finds the one that the first made.
const CI: Subject = Subject {
    prepare: |_| {},
    arguments: |_| words(MAKE_CI),
    proof: &["status", "--only", "ci"],
    converged: "
iam = client('iam')
roles = [one['RoleName'] for one in iam.list_roles()['Roles']]
attached = {role: len(iam.list_attached_role_policies(RoleName=role)['AttachedPolicies']) for role in roles}
answer = len(roles) > 0 and len(iam.list_open_id_connect_providers()['OpenIDConnectProviderList']) == 1 and all(
  count == (1 if role.endswith('-plan') else 6) for role, count in attached.items())",
};

const CI_DESTROYED: Subject = Subject {
    prepare: |place| {
        let arguments = words(MAKE_CI);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        place.run(&arguments).exits(0);
    },
    arguments: DESTROY.arguments,
    proof: DESTROY.proof,
    converged: "iam = client('iam')
answer = [] == iam.list_roles()['Roles'] + iam.list_policies(Scope='Local')['Policies']",
};

const MAKE_CI: &str = "apply --only ci --repository my-org/osmt-infra --yes";
const MAKE_ADMIN: &str = "apply --only admin --trust arn:aws:iam::123456789012:user/ann --yes";

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

/// Runs the verb through a proxy and gives its exit; `None` where it was killed.
fn through(place: &Place<'_>, proxy: &Proxy, arguments: &[String]) -> Option<i32> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut child = place
        .command(&arguments)
        .env("AWS_ENDPOINT_URL", &proxy.endpoint)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    proxy.watch(child.id());
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        if start.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("{arguments:?} hangs");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn matrix(name: &str, subject: &Subject) {
    let emulator = Emulator::start();
    let place = ready(&emulator, &zone(&emulator, "example.org"), &format!("{name}0"), subject);
    let proxy = Proxy::before(&emulator.endpoint, None);
    assert_eq!(through(&place, &proxy, &(subject.arguments)(&place)), Some(0));
    let calls = proxy.calls();

    let all = std::env::var("OSMT_FAULTS").is_ok_and(|which| which == "all");
    let cases: Vec<(usize, Fault)> = if all {
        (0..calls.len()).flat_map(|at| Fault::ALL.map(|fault| (at, fault))).collect()
    } else {
        // `destroy` lists the certificates of each region: only a few of these calls are tried.
        let alike = |at: usize| calls[..at].iter().filter(|call| **call == calls[at]).count();
        let calls: Vec<usize> =
            (0..calls.len()).filter(|at| calls[*at] != LISTING || alike(*at) < ALIKE).collect();
        let sample = SAMPLE.min(calls.len());
        (0..sample)
            .map(|number| (calls[number * calls.len() / sample], Fault::ALL[number % Fault::ALL.len()]))
            .collect()
    };
    let next = AtomicUsize::new(0);
    let ended = Mutex::new(std::collections::BTreeMap::<String, usize>::new());
    std::thread::scope(|scope| {
        // Each with an account of its own: the emulator does not take well to several callers at once.
        for _ in 0..3 {
            scope.spawn(|| {
                let emulator = Emulator::start();
                let zone = zone(&emulator, "example.org");
                let mut ended_here = 0;
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    let Some(&(at, fault)) = cases.get(number) else {
                        assert!(ended_here == 0 || emulator.ask(subject.converged) == true);
                        return;
                    };
                    let env = format!("{name}{}", number + 1);
                    let place = ready(&emulator, &zone, &env, subject);
                    let exit = case(&place, &emulator.endpoint, subject, (at, fault));
                    ended_here += 1;
                    let ended_with = exit.map_or("killed".to_owned(), |exit| format!("exit {exit}"));
                    *ended.lock().unwrap().entry(format!("{fault:?}: {ended_with}")).or_default() += 1;
                }
            });
        }
    });
    println!("{name}: {} calls, {} faults, every second run converged", calls.len(), cases.len());
    for (how, count) in ended.into_inner().unwrap() {
        println!("  {how}: {count}");
    }
}

/// A place in which the verb under test can begin.
fn ready<'a>(emulator: &'a Emulator, zone: &str, env: &str, subject: &Subject) -> Place<'a> {
    let place = Place::new(emulator, env);
    place.answers_at(&format!("osmt.{env}.example.org"), zone);
    (subject.prepare)(&place);
    place
}

fn case(place: &Place<'_>, endpoint: &str, subject: &Subject, (at, fault): (usize, Fault)) -> Option<i32> {
    let arguments = (subject.arguments)(place);
    let proxy = Proxy::before(endpoint, Some((at, fault)));
    let exit = through(place, &proxy, &arguments);
    let met = proxy.calls().get(at).cloned();
    let wanted: &[Option<i32>] = match fault {
        // One fault that passes is retried; the rest ends as the contract says.
        Fault::LostRequest | Fault::LostAnswer | Fault::ServerError | Fault::Throttled => &[Some(0), Some(3)],
        Fault::Offline => &[Some(3), Some(0)],
        // A bucket that may not be seen counts as another account's.
        Fault::Denied => &[Some(3), Some(4), Some(0)],
        Fault::KilledBefore | Fault::KilledAfter => &[None, Some(0)],
    };
    assert!(wanted.contains(&exit), "{fault:?} at call {at} ({met:?}) ended with {exit:?}");
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let second = place.run(&arguments);
    assert_eq!(second.exit, 0, "{fault:?} at call {at} ({met:?}), then: {second:#?}");
    place.run(subject.proof).exits(0);
    exit
}

#[test]
fn apply_converges_whatever_happens_to_a_call() {
    matrix("a", &APPLY);
}

#[test]
fn certificate_converges_whatever_happens_to_a_call() {
    matrix("c", &CERTIFICATE);
}

#[test]
fn destroy_converges_whatever_happens_to_a_call() {
    matrix("d", &DESTROY);
}

#[test]
fn what_others_keep_in_an_adopted_bucket_and_table_stays_whatever_happens_to_a_call() {
    matrix("f", &ADOPTED_DESTROYED);
}

#[test]
fn the_admin_role_converges_whatever_happens_to_a_call() {
    matrix("m", &ADMIN);
}

#[test]
fn the_admin_role_goes_whatever_happens_to_a_call() {
    matrix("n", &ADMIN_DESTROYED);
}

#[test]
fn the_roles_of_ci_converge_whatever_happens_to_a_call() {
    matrix("i", &CI);
}

#[test]
fn the_roles_of_ci_go_whatever_happens_to_a_call() {
    matrix("j", &CI_DESTROYED);
}
