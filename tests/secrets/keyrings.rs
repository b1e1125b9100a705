//! Which keyring: the desktop's with a real Secret Service, the kernel's, none.

use std::process::{Command, Output};

use crate::support;
use crate::support::Folder;

const PROGRAM: &str = env!("CARGO_BIN_EXE_osmt-secrets");

fn folder() -> Folder {
    let folder = Folder::empty();
    support::write(&folder.path().join("config.auto.tfvars.json"), &support::config("desktop"));
    folder
}

/// A private session with its own Secret Service, home and entries; `None`, said aloud, where it is not installed.
fn desktop(script: &str) -> Option<Output> {
    let installed = ["dbus-run-session", "gnome-keyring-daemon"]
        .iter()
        .all(|program| Command::new(program).arg("--version").output().is_ok());
    if !installed {
        assert!(std::env::var_os("CI").is_none(), "gnome-keyring and dbus must be installed");
        eprintln!("skipped: install gnome-keyring and dbus (Debian, Ubuntu: apt install gnome-keyring dbus)");
        return None;
    }
    let home = folder();
    let output = Command::new("dbus-run-session")
        .args(["--", "bash", "-ec", script])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", home.path())
        .env("XDG_RUNTIME_DIR", home.path())
        .env("XDG_DATA_HOME", home.path().join("data"))
        .env("S", format!("{PROGRAM} --dir {}", home.path().display()))
        .env("THIS", std::env::current_exe().unwrap())
        .output()
        .unwrap();
    Some(output)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_desktop_keeps_values_between_commands() {
    let Some(output) = desktop(
        "printf unlock | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1
         printf 'desktop-value-1\\n' | $S set rds/password
         $S list
         printf 'desktop-value-2\\n' | $S set rds/password --yes --keyring os
         $S rm --all --yes
         $S list --keyring os --format json",
    ) else {
        return;
    };
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    assert!(err.contains("using the desktop's keyring"), "{err}");
    assert!(out.contains("rds/password             set"), "{out}");
    assert!(out.contains("\"keyring\": \"os\"") && out.contains("\"state\": \"missing\""), "{out}");
    assert!(!(out + &err).contains("desktop-value"));
}

#[test]
fn a_desktop_that_was_not_unlocked_is_one_clear_error() {
    let Some(output) = desktop("printf desktop-value | $S set rds/password --keyring os") else {
        return;
    };
    let err = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{err}");
    assert!(err.contains("could not write the entry rds/password") && err.contains("help:"), "{err}");
}

const UNLOCKED: &str = "printf unlock | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1\n";

/// Locks the default collection, which the daemon calls `login`; no program is there that could ask for its password.
const LOCK: &str = "dbus-send --session --print-reply --dest=org.freedesktop.secrets /org/freedesktop/secrets \
    org.freedesktop.Secret.Service.Lock array:objpath:/org/freedesktop/secrets/collection/login >/dev/null\n";

#[test]
fn a_locked_keyring_is_an_error_and_no_other_one_takes_its_place() {
    let Some(output) = desktop(&format!(
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
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    for verb in ["list", "set", "rm", "exec"] {
        assert_eq!(out.matches(&format!("{verb}=3")).count(), 2, "{verb}: {out}{err}");
    }
    assert_eq!(err.matches("error: the desktop's keyring (Secret Service) is locked").count(), 8, "{err}");
    assert!(err.contains("help: unlock it") && !err.contains("using the kernel's"), "{err}");
    assert!(!out.contains("ran"), "{out}");
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
    let Some(output) = desktop(&format!(
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
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(
        out.contains("rds/password             unusable") && out.contains("2 entries have this name"),
        "{out}"
    );
    assert!(
        out.contains("app/oauth_client_secret  unusable") && out.contains("its value is not UTF-8"),
        "{out}"
    );
    assert!(out.contains("list=0") && out.contains("exec=4") && !out.contains("ran\n"), "{out}{err}");
    assert!(err.contains("remove it with `osmt-secrets rm rds/password`"), "{err}");
    assert_eq!(out.matches("rm=0").count(), 2, "{out}{err}");
    assert_eq!(out.matches("\"state\": \"missing\"").count(), 2, "{out}{err}");
    assert_eq!(out.matches("set=0").count(), 2, "{out}{err}");
    assert!(out.contains("run=0") && out.contains("all=0"), "{out}{err}");
    assert!(out.ends_with("missing") || out.trim_end().lines().last().unwrap().contains("missing"), "{out}");
    assert!(!(out + &err).contains("desktop-value"));
}

#[test]
fn without_a_session_bus_auto_takes_the_kernels_and_says_so() {
    let home = folder();
    let run = |keyring: &str| {
        Command::new(PROGRAM)
            .env_clear()
            .env("XDG_RUNTIME_DIR", home.path())
            .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
            .args(["list", "-v", "--keyring", keyring, "--dir"])
            .arg(home.path())
            .output()
            .unwrap()
    };
    let os = run("os");
    assert_eq!(os.status.code(), Some(3), "{}", text(&os.stderr));
    assert!(text(&os.stderr).contains("--keyring kernel"), "{}", text(&os.stderr));
    if run("kernel").status.success() {
        let auto = run("auto");
        assert_eq!(auto.status.code(), Some(0), "{}", text(&auto.stderr));
        assert!(text(&auto.stderr).contains("using the kernel's keyring"), "{}", text(&auto.stderr));
    } else {
        assert_eq!(run("auto").status.code(), Some(3));
    }
    assert_eq!(run("nonsense").status.code(), Some(2));
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
    if Command::new("dbus-run-session").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "dbus must be installed");
        eprintln!("skipped: install dbus");
        return;
    }
    let home = folder();
    std::fs::write(home.path().join("silent.py"), SILENT).unwrap();
    let script = "exec 3< <(python3 \"$HOME/silent.py\"); read -r _ <&3
        $S list 2> \"$HOME/said\" & tool=$!
        until grep -q waiting \"$HOME/said\"; do sleep 0.1; done
        kill -TERM $tool; wait $tool; echo code=$?; cat \"$HOME/said\"";
    let output = Command::new("timeout")
        .args(["60", "dbus-run-session", "--", "bash", "-c", script])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", home.path())
        .env("XDG_RUNTIME_DIR", home.path())
        .env("S", format!("{PROGRAM} --dir {}", home.path().display()))
        .output()
        .unwrap();
    let out = text(&output.stdout);
    assert!(out.contains("code=130"), "{out}{}", text(&output.stderr));
    assert!(out.contains("waiting until the desktop's keyring") && out.contains("interrupted"), "{out}");
    assert!(!out.contains("kernel's"), "it is not replaced by the other keyring: {out}");
}
