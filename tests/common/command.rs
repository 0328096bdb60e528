//! The built `frontdesk` as a person at a terminal meets it: started, read, typed at, interrupted.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

/// Killed (by its own id) when dropped.
pub struct Terminal {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    /// Every line printed so far.
    pub said: Vec<String>,
}

impl Terminal {
    /// `frontdesk` with these arguments and environment. Its standard error goes to the test's.
    pub fn run(args: &[&str], env: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_frontdesk"));
        command.args(args).envs(env.iter().copied()).env_remove("FRONTDESK_LOG");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("frontdesk starts");
        let input = child.stdin.take().expect("piped above");
        let output = BufReader::new(child.stdout.take().expect("piped above")).lines();
        Self { child, input, output, said: vec![] }
    }

    /// Reads until a line holds `text`; panics after `limit` or at the end.
    pub async fn says(&mut self, text: &str, limit: Duration) {
        loop {
            match timeout(limit, self.output.next_line()).await {
                Ok(Ok(Some(line))) => self.said.push(line),
                Ok(_) => panic!("it ended without saying {text:?}: {:#?}", self.said),
                Err(_) => panic!("it did not say {text:?} within {limit:?}: {:#?}", self.said),
            }
            if self.said.last().is_some_and(|line| line.contains(text)) {
                return;
            }
        }
    }

    pub async fn types(&mut self, text: &str) {
        self.input.write_all(text.as_bytes()).await.expect("it reads");
    }

    /// Ctrl-C.
    pub async fn interrupt(&self) {
        let id = self.child.id().expect("it runs").to_string();
        let sent = Command::new("kill").args(["-INT", &id]).status().await;
        assert!(sent.is_ok_and(|status| status.success()), "no signal could be sent");
    }

    /// Reads to the end; everything it said, and the exit code.
    pub async fn ends(mut self, limit: Duration) -> (Vec<String>, Option<i32>) {
        let end = async {
            while let Ok(Some(line)) = self.output.next_line().await {
                self.said.push(line);
            }
            self.child.wait().await
        };
        let status = timeout(limit, end).await;
        let status = status.unwrap_or_else(|_| panic!("it did not end within {limit:?}: {:#?}", self.said));
        (self.said, status.expect("it can be waited for").code())
    }
}
