use std::process::ExitCode;
use std::time::Duration;

// glibc's keeps what each thread once needed: resident memory then grows by 16 MiB over a thousand calls, of which the
// calls themselves keep nothing.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let mut threads = tokio::runtime::Builder::new_multi_thread();
    let runtime = match threads.enable_all().on_thread_start(frontdesk::media::go_in_line).build() {
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
