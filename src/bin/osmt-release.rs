//! See `osmt::command::release`.

fn main() -> std::process::ExitCode {
    osmt::command::main::<osmt::command::release::Release>()
}
