//! See `osmt::command::secrets`.

fn main() -> std::process::ExitCode {
    osmt::command::main::<osmt::command::secrets::Secrets>()
}
