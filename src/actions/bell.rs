//! Wakes who works in the daemon, where somebody asked for something that is to be done at once.

use std::sync::Arc;

use tokio::sync::Notify;

/// Wakes who works in the daemon; whoever leads elsewhere looks by itself.
#[derive(Debug, Clone, Default)]
pub struct Bell {
    /// There may be a task.
    pub tasks: Arc<Notify>,
    /// There may be an email.
    pub post: Arc<Notify>,
}
