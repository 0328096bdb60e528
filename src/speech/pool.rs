//! A bounded pool of threads for models: full means "no" at once, an answer nobody waits for is not worked out.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

/// All threads are busy and the queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("all model threads are busy and their queue is full")]
pub struct Overloaded;

/// The pool was dropped, or a worker broke, before the answer was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the model threads were stopped")]
pub struct Stopped;

/// What a worker does: a task in, an answer out, or `None` when `cancelled` turned true on the way.
pub type Work<T, A> = Box<dyn FnMut(T, &dyn Fn() -> bool) -> Option<A>>;

/// Threads that turn tasks `T` into answers `A`. Dropping it stops them.
pub struct Pool<T, A> {
    shared: Arc<Shared<T, A>>,
    workers: Vec<JoinHandle<()>>,
}

impl<T: Send + 'static, A: Send + 'static> Pool<T, A> {
    /// Starts `workers` threads; `make` runs on each and prepares what stays there. Returns when all are ready, or
    /// the first error.
    pub fn start<E: Send + 'static>(
        name: &str,
        workers: usize,
        queue: usize,
        make: impl Fn() -> Result<Work<T, A>, E> + Send + Sync + 'static,
    ) -> Result<Self, E> {
        let shared = Arc::new(Shared {
            queue: Mutex::new(Queue { waiting: VecDeque::new(), idle: 0, closed: false }),
            wake: Condvar::new(),
            limit: queue,
        });
        let mut pool = Self { shared, workers: Vec::new() };
        let make = Arc::new(make);
        let (ready, started) = std::sync::mpsc::channel();
        for i in 0..workers.max(1) {
            let (shared, make, ready) = (pool.shared.clone(), make.clone(), ready.clone());
            let run = move || {
                crate::media::go_in_line();
                match make() {
                    Ok(mut work) => {
                        let _ = ready.send(Ok(())); // the opener may have given up at another thread's error
                        drop(ready);
                        shared.serve(&mut work);
                    }
                    Err(error) => {
                        let _ = ready.send(Err(error));
                    }
                }
            };
            // Threads are made at start-up, when there is nothing better to do without them.
            pool.workers.push(std::thread::Builder::new().name(format!("{name}-{i}")).spawn(run).expect("a thread"));
        }
        drop(ready);
        for report in started {
            report?;
        }
        Ok(pool)
    }

    /// Queues a task. Dropping the `Pending` takes it back.
    pub fn submit(&self, task: T) -> Result<Pending<A>, Overloaded> {
        let (reply, pending) = oneshot::channel();
        let mut queue = self.shared.lock();
        queue.waiting.retain(|job| !job.reply.is_closed());
        // An idle thread takes its task in a moment: that one does not wait.
        if queue.waiting.len() >= self.shared.limit + queue.idle {
            return Err(Overloaded);
        }
        queue.waiting.push_back(Job { task, reply });
        drop(queue);
        self.shared.wake.notify_one();
        Ok(Pending { reply: pending })
    }

    /// Tasks that no thread has taken up yet.
    pub fn waiting(&self) -> usize {
        self.shared.lock().waiting.iter().filter(|job| !job.reply.is_closed()).count()
    }
}

impl<T, A> Drop for Pool<T, A> {
    fn drop(&mut self) {
        let mut queue = self.shared.lock();
        queue.closed = true;
        queue.waiting.clear(); // their `Pending`s learn it by the dropped senders
        drop(queue);
        self.shared.wake.notify_all();
        for worker in self.workers.drain(..) {
            let _ = worker.join(); // one that panicked has ended as well
        }
    }
}

/// An answer to come.
#[derive(Debug)]
pub struct Pending<A> {
    reply: oneshot::Receiver<A>,
}

impl<A> Pending<A> {
    /// Waits on this thread; not to be called inside the async runtime.
    pub fn wait(self) -> Result<A, Stopped> {
        self.reply.blocking_recv().map_err(|_| Stopped)
    }
}

impl<A> Future for Pending<A> {
    type Output = Result<A, Stopped>;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.reply).poll(cx).map_err(|_| Stopped)
    }
}

struct Shared<T, A> {
    queue: Mutex<Queue<T, A>>,
    wake: Condvar,
    limit: usize,
}

struct Queue<T, A> {
    waiting: VecDeque<Job<T, A>>,
    /// Threads that wait for a task.
    idle: usize,
    closed: bool,
}

struct Job<T, A> {
    task: T,
    reply: oneshot::Sender<A>,
}

impl<T, A> Shared<T, A> {
    fn lock(&self) -> MutexGuard<'_, Queue<T, A>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner) // a queue is whole after every statement
    }

    fn serve(&self, work: &mut Work<T, A>) {
        while let Some(Job { task, reply }) = self.next() {
            let cancelled = || reply.is_closed();
            if let Some(answer) = work(task, &cancelled) {
                let _ = reply.send(answer); // taken back meanwhile
            }
        }
    }

    /// The next task somebody still waits for; `None` at the end.
    fn next(&self) -> Option<Job<T, A>> {
        let mut queue = self.lock();
        loop {
            if queue.closed {
                return None;
            }
            match queue.waiting.pop_front() {
                Some(job) if job.reply.is_closed() => {}
                Some(job) => return Some(job),
                None => {
                    queue.idle += 1;
                    queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
                    queue.idle -= 1;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// A pool of one whose worker tells what it takes up and goes on when told.
    fn stepwise(queue: usize) -> (Pool<u32, u32>, Receiver<u32>, Sender<()>) {
        let (took, taken) = channel();
        let (go, gate) = channel::<()>();
        let gate = Arc::new(Mutex::new(gate));
        let pool = Pool::start("test", 1, queue, move || {
            let (took, gate) = (took.clone(), gate.clone());
            Ok::<_, ()>(Box::new(move |task: u32, cancelled: &dyn Fn() -> bool| {
                took.send(task).unwrap();
                gate.lock().unwrap().recv().unwrap();
                (!cancelled()).then_some(task * 2)
            }) as Work<u32, u32>)
        });
        (pool.unwrap(), taken, go)
    }

    #[test]
    fn a_full_pool_says_so_at_once() {
        let (pool, taken, go) = stepwise(1);
        let first = pool.submit(1).unwrap();
        assert_eq!(taken.recv(), Ok(1));
        let second = pool.submit(2).unwrap();
        assert_eq!(pool.submit(3).unwrap_err(), Overloaded);
        go.send(()).unwrap();
        go.send(()).unwrap();
        assert_eq!((first.wait(), second.wait()), (Ok(2), Ok(4)));
    }

    #[test]
    fn what_is_taken_back_is_never_begun_and_makes_room() {
        let (pool, taken, go) = stepwise(1);
        let first = pool.submit(1).unwrap();
        assert_eq!(taken.recv(), Ok(1));
        drop(pool.submit(2).unwrap());
        assert_eq!(pool.waiting(), 0);
        let third = pool.submit(3).unwrap();
        go.send(()).unwrap();
        go.send(()).unwrap();
        assert_eq!((first.wait(), third.wait()), (Ok(2), Ok(6)));
        assert_eq!(taken.try_iter().collect::<Vec<_>>(), [3]);
    }

    #[test]
    fn a_stopped_pool_leaves_nobody_waiting() {
        let (pool, taken, go) = stepwise(4);
        let first = pool.submit(1).unwrap();
        let second = pool.submit(2).unwrap();
        assert_eq!(taken.recv(), Ok(1));
        go.send(()).unwrap();
        drop(go);
        assert_eq!(first.wait(), Ok(2));
        drop(pool);
        assert!(second.wait().is_err());
    }
}
