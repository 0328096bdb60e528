#[tokio::main]
async fn main() -> std::process::ExitCode {
    frontdesk::cli::run().await
}
