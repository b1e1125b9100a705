//! Repeats an operation until AWS returns a final result. The only retry loop of the project.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// The time limit, and the pauses between two attempts, which double each time.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// The first pause.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
    /// No attempt starts after this time.
    pub total: Duration,
}

impl Policy {
    /// A policy with a total in seconds.
    pub const fn new(first: Duration, longest: Duration, total: u64) -> Self {
        Self { first, longest, total: Duration::from_secs(total) }
    }
}

/// Repeats an operation while its result is not final and the policy allows. Returns the last result, final or not.
pub async fn retry<T, E>(
    policy: Policy,
    again: impl Fn(&Result<T, E>) -> bool,
    operation: impl AsyncFn() -> Result<T, E>,
) -> Result<T, E> {
    let deadline = Instant::now() + policy.total;
    let mut pause = policy.first;
    loop {
        let result = operation().await;
        if !again(&result) || Instant::now() + pause > deadline {
            return result;
        }
        sleep(pause).await;
        pause = (pause * 2).min(policy.longest);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::Duration;

    use super::{Policy, retry};

    fn run(again: impl Fn(&Result<u32, ()>) -> bool, total: u64) -> (Result<u32, ()>, u32) {
        let calls = Cell::new(0);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        let policy = Policy::new(Duration::from_millis(1), Duration::from_millis(4), total);
        let result = runtime.block_on(retry(policy, again, async || {
            calls.set(calls.get() + 1);
            Ok(calls.get())
        }));
        (result, calls.get())
    }

    #[test]
    fn it_asks_until_the_result_is_final_and_gives_the_last_one() {
        assert_eq!(run(|result| *result != Ok(4), 60), (Ok(4), 4));
        assert_eq!(run(|_| false, 60), (Ok(1), 1));
        assert_eq!(run(|_| true, 0), (Ok(1), 1));
    }
}
