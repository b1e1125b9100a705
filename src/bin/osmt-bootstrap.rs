//! See `osmt::command::bootstrap`.

fn main() -> std::process::ExitCode {
    osmt::command::main::<osmt::command::bootstrap::Bootstrap>()
}
