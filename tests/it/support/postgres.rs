//! postgres for tests.
