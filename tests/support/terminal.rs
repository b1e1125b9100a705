//! A program on a terminal of its own, as a person has it before them.

/// A script for [`super::ask`] that starts a program on a terminal, does `act`, and ends with `answer`.
///
/// In `act`, `until(b"…")` waits for what the program shows, `type_in(b"…")` is the keyboard, `end()` waits for the end and gives
/// the exit and all that was shown; `pid`, `terminal` and `before` (the terminal's settings) are there too.
pub(crate) fn on_terminal(arguments: &[&str], environment: &[(&str, &str)], act: &str) -> String {
    let set = environment.iter().map(|(name, value)| format!("{name:?}: {value:?}"));
    let environment = set.collect::<Vec<_>>().join(", ");
    format!(
        r#"
import os, pty, select, signal, subprocess, termios, time
arguments = {arguments:?}
ready, go = os.pipe()
pid, terminal = pty.fork()
if pid == 0:
    os.read(ready, 1)
    os.environ.update({{{environment}}})
    os.execvp(arguments[0], arguments)
seen = b""
def more():
    global seen
    try:
        part = os.read(terminal, 4096)
    except OSError:
        part = b""
    seen += part
    return part
def until(text, limit=60):
    end = time.time() + limit
    while text not in seen and time.time() < end:
        if select.select([terminal], [], [], 0.2)[0] and not more():
            return
def type_in(text):
    os.write(terminal, text)
def end():
    while more():
        pass
    return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), seen.decode()]
before = termios.tcgetattr(terminal)[3]
os.write(go, b"x")
{act}
"#
    )
}
