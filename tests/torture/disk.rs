//! A disk that is full when a test wants it: a file system in memory, of a size that can be set. Only root can
//! have one; others go without.

use std::path::PathBuf;
use std::process::Command;

const ROOMY: u64 = 6_000_000;

/// Unmounted when it is dropped.
pub struct Disk {
    folder: PathBuf,
}

fn done(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

impl Disk {
    /// `None` where that is not allowed. The folder belongs to `user`.
    pub fn mount(folder: PathBuf, user: Option<&str>) -> Option<Self> {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={ROOMY}k"), "tmpfs"]).arg(&folder);
        if !done(&mut mount) {
            return None;
        }
        let disk = Self { folder };
        if let Some(user) = user {
            done(Command::new("chown").arg(user).arg(&disk.folder));
        }
        Some(disk)
    }

    /// Leaves room for so many kilobytes more.
    pub fn fill(&self, kilobytes: u64) {
        let used = Command::new("df").args(["--output=used", "-k"]).arg(&self.folder).output();
        let used = used.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        let used =
            used.unwrap_or_default().lines().last().and_then(|line| line.trim().parse().ok());
        self.resize(used.unwrap_or(ROOMY) + kilobytes);
    }

    pub fn make_room(&self) {
        self.resize(ROOMY);
    }

    fn resize(&self, kilobytes: u64) {
        let size = format!("remount,size={kilobytes}k");
        done(Command::new("mount").args(["-o", &size]).arg(&self.folder));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        done(Command::new("umount").arg("-l").arg(&self.folder));
    }
}
