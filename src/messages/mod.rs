//! The message database, read only: one pass yields every message of the months being closed.
