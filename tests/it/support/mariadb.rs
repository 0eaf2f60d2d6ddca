//! mariadb for tests.
