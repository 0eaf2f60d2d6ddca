//! What holds for the whole process, set before it does anything.

use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit, umask};

/// Whatever the umask it was started with, nobody but its user and group reads what fecha makes: files have
/// mode 0640 at most, folders 0750. A stricter umask holds on.
pub fn make_files_private() {
    let private = Mode::WGRP | Mode::RWXO;
    // The mask can only be read by setting it.
    let given = umask(private);
    umask(given | private);
}

/// Takes as many open files as the system allows: the limit that is in force is often 1,024.
pub fn allow_many_files() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        // Where it is refused, the old limit holds.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    }
}

/// How many files may be open at once; `None` without a limit.
#[must_use]
pub fn most_files() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}
