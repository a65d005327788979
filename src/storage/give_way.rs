//! Threads that read ahead, write behind or merge give way to those that somebody waits for.

/// How much less of a processor such a thread gets where others want it: by this step a third of
/// what each of them gets.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 5;

/// Has the calling thread give way to the daemon's others. Where threads have no niceness of their
/// own it goes on as before.
pub fn give_way() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::debug!(%error, "a thread does not give way");
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::getpriority_process;

    use super::*;

    #[test]
    fn only_the_thread_that_asks_for_it_gives_way() {
        let niceness = || getpriority_process(None).unwrap();
        let before = niceness();
        let there = std::thread::spawn(move || {
            give_way();
            niceness()
        });
        assert_eq!(there.join().unwrap(), (before + NICENESS).min(19));
        assert_eq!(niceness(), before);
    }
}
