//! Which keyring: the desktop's with a real Secret Service, the kernel's, none.

use std::process::Command;

use crate::support;
use crate::support::{Folder, Ran, run};

const PROGRAM: &str = env!("CARGO_BIN_EXE_osmt-secrets");

/// A command in a session bus of its own with this home; `None`, said aloud, where a program is not installed.
fn session(home: &Folder, programs: &[&str]) -> Option<Command> {
    if !programs.iter().all(|program| support::is_installed(program)) {
        assert!(std::env::var_os("CI").is_none(), "{programs:?} must be installed");
        eprintln!("skipped: install gnome-keyring and dbus (Debian, Ubuntu: apt install gnome-keyring dbus)");
        return None;
    }
    let mut command = Command::new("dbus-run-session");
    command
        .args(["--", "bash"])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", home.path())
        .env("XDG_RUNTIME_DIR", home.path())
        .env("XDG_DATA_HOME", home.path().join("data"))
        .env("S", format!("{PROGRAM} --dir {}", home.path().display()))
        .env("THIS", std::env::current_exe().unwrap());
    Some(command)
}

/// A private session with its own Secret Service, home and entries. Both streams of a script are in one, in the order of
/// printing; the other one is of the bus and its services.
fn desktop(script: &str) -> Option<Ran> {
    let home = Folder::of("desktop");
    let mut session = session(&home, &["dbus-run-session", "gnome-keyring-daemon"])?;
    Some(of_the_script(run(session.args(["-c", &format!("exec 2>&1; set -e; {script}")]))))
}

/// A run without its stderr, where the bus and its services print.
fn of_the_script(ran: Ran) -> Ran {
    eprintln!("{}", ran.stderr);
    Ran { stderr: String::new(), ..ran }
}

#[test]
fn a_desktop_keeps_values_between_commands() {
    let Some(ran) = desktop(&format!(
        "{UNLOCKED} printf 'desktop-value-1\\n' | $S set rds/password
         $S list
         printf 'desktop-value-2\\n' | $S set rds/password --yes --keyring os
         $S rm --all --yes
         $S list --keyring os --format json"
    )) else {
        return;
    };
    ran.exits(0).lacks("desktop-value").matches("secrets/desktop", &[]);
}

#[test]
fn a_desktop_that_was_not_unlocked_is_one_clear_error() {
    let Some(ran) = desktop("printf desktop-value | $S set rds/password --keyring os") else {
        return;
    };
    // The cause is in the words of the library.
    ran.exits(3)
        .lacks("desktop-value")
        .shows("error: could not write the entry rds/password")
        .shows("help: ");
}

const UNLOCKED: &str = "printf unlock | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1\n";

/// Locks the default collection, which the daemon calls `login`; no program is there that could ask for its password.
const LOCK: &str = "dbus-send --session --print-reply --dest=org.freedesktop.secrets /org/freedesktop/secrets \
    org.freedesktop.Secret.Service.Lock array:objpath:/org/freedesktop/secrets/collection/login >/dev/null\n";

#[test]
fn a_locked_keyring_is_an_error_and_no_other_one_takes_its_place() {
    let Some(ran) = desktop(&format!(
        "{UNLOCKED} printf 'desktop-value-1\\n' | $S set rds/password
         {LOCK} set +e
         for keyring in auto os; do
           $S list --keyring $keyring; echo list=$?
           printf 'desktop-value-2\\n' | $S set rds/password --yes --keyring $keyring; echo set=$?
           $S rm rds/password --yes --keyring $keyring; echo rm=$?
           $S exec --keyring $keyring --only rds/password -- echo ran; echo exec=$?
         done"
    )) else {
        return;
    };
    ran.exits(0).lacks("desktop-value").matches("secrets/desktop-locked", &[]);
}

/// Started by the next test in a session of its own: entries as another program may leave them.
#[test]
#[ignore = "another test starts it, in a session of its own"]
#[cfg(target_os = "linux")]
fn leaves_odd_entries() {
    use secret_service::EncryptionType;
    use secret_service::blocking::SecretService;

    // Never in the keyring of the user who runs the ignored tests.
    if std::env::var_os("OSMT_ODD_ENTRIES").is_none() {
        return;
    }
    let service = SecretService::connect(EncryptionType::Plain).unwrap();
    let collection = service.get_default_collection().unwrap();
    let name = format!("osmt/{}/desktop", support::ACCOUNT);
    let put = |user: &str, value: &[u8]| {
        let attributes = [("service", name.as_str()), ("username", user)].into();
        collection.create_item(user, attributes, value, false, "text/plain").unwrap();
    };
    put("rds/password", b"desktop-value-1");
    put("rds/password", b"desktop-value-2");
    put("app/oauth_client_secret", b"desktop-value-\xff\xfe");
}

#[test]
#[cfg(target_os = "linux")]
fn entries_that_cannot_be_read_are_named_and_can_be_removed_or_replaced() {
    let Some(ran) = desktop(&format!(
        "{UNLOCKED} export S=\"$S --keyring os\"
         odd() {{ OSMT_ODD_ENTRIES=1 \"$THIS\" --exact keyrings::leaves_odd_entries --ignored >/dev/null; }}
         odd; set +e
         $S list; echo list=$?
         $S exec -- echo ran; echo exec=$?
         $S rm rds/password --yes; echo rm=$?
         $S rm app/oauth_client_secret --yes; echo rm=$?
         $S list --format json
         odd
         printf 'desktop-value-3\\n' | $S set rds/password --yes; echo set=$?
         printf 'desktop-value-4\\n' | $S set app/oauth_client_secret --yes; echo set=$?
         $S exec -- printenv DB_PASSWORD; echo run=$?
         odd; $S rm --all --yes; echo all=$?
         $S list"
    )) else {
        return;
    };
    ran.exits(0).lacks("desktop-value").matches("secrets/desktop-odd-entries", &[]);
}

#[test]
fn without_a_session_bus_auto_takes_the_kernels_and_says_so() {
    let home = Folder::of("desktop");
    let list = |keyring: &str| {
        let mut command = home.on(Command::new(PROGRAM), "list -v --keyring");
        command.env_clear().env("XDG_RUNTIME_DIR", home.path());
        run(command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere").arg(keyring))
    };
    list("os").exits(3).matches("secrets/no-session-bus", &home.own());
    if list("kernel").exit == 0 {
        list("auto").exits(0).matches("secrets/kernel-keyring", &home.own());
    } else {
        list("auto").exits(3);
    }
    list("nonsense").exits(2);
}

/// Owns the name of the Secret Service on the session's bus, and answers nothing: a desktop whose dialogue no one sees.
const SILENT: &str = r#"
import os, re, socket, struct, time
kind, path = re.search(r"unix:(abstract|path)=([^,]+)", os.environ["DBUS_SESSION_BUS_ADDRESS"]).groups()
bus = socket.socket(socket.AF_UNIX)
bus.connect("\0" + path if kind == "abstract" else path)
bus.sendall(b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\r\n")
assert bus.recv(1000).startswith(b"OK")
bus.sendall(b"BEGIN\r\n")
def text(value):
    return struct.pack("<I", len(value)) + value.encode() + b"\0"
def call(serial, member, signature="", body=b""):
    fields = b""
    name = "org.freedesktop.DBus"
    for code, form, value in [(1, "o", "/org/freedesktop/DBus"), (2, "s", name), (3, "s", member), (6, "s", name), (8, "g", signature)]:
        if value:
            fields += b"\0" * (-len(fields) % 8) + bytes([code, 1]) + form.encode() + b"\0"
            fields += bytes([len(value)]) + value.encode() + b"\0" if form == "g" else text(value)
    head = b"l\1\0\1" + struct.pack("<III", len(body), serial, len(fields)) + fields
    bus.sendall(head + b"\0" * (-len(head) % 8) + body)
call(1, "Hello")
bus.recv(4096)
name = text("org.freedesktop.secrets")
call(2, "RequestName", "su", name + b"\0" * (-len(name) % 4) + struct.pack("<I", 4))
time.sleep(0.5)
print("ready", flush=True)
while bus.recv(4096):
    pass
"#;

#[test]
fn a_desktop_that_does_not_answer_is_waited_for_and_a_signal_ends_the_wait() {
    let home = Folder::of("desktop");
    let Some(mut session) = session(&home, &["dbus-run-session"]) else { return };
    support::write(&home.path().join("silent.py"), SILENT);
    let script = "exec 3< <(python3 \"$HOME/silent.py\"); read -r _ <&3
        $S list 2> \"$HOME/said\" & tool=$!
        until grep -q waiting \"$HOME/said\"; do sleep 0.1; done
        kill -TERM $tool; wait $tool; echo code=$?; cat \"$HOME/said\"";
    // It is not replaced by the kernel's keyring.
    of_the_script(run(session.args(["-c", script]))).exits(0).matches("secrets/desktop-silent", &home.own());
}
