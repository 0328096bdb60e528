use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("frontdesk: no threads can be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(frontdesk::cli::run());
    // What is to be kept was waited for. What still runs (a model being loaded) must not hold up who pressed Ctrl-C.
    runtime.shutdown_timeout(Duration::from_secs(1));
    code
}
