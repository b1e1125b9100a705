//! See `osmt::command::doctor`.

fn main() -> std::process::ExitCode {
    osmt::command::main::<osmt::command::doctor::Doctor>()
}
