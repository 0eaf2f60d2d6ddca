//! Where a command's files go: regular files, links, pipes, devices, standard output. Nothing but a regular
//! file is ever replaced. No device outside of a test's folder is touched.

use std::fs::{self, File};
use std::os::unix::fs::{FileTypeExt as _, symlink};
use std::path::Path;
use std::process::{Command, Output};

use rstest::rstest;

use crate::support::reseller::{LedgerKind, Reseller};

const PDF: [&str; 3] = ["invoice", "2026-000001", "--pdf"];

/// One invoice, and its PDF as `invoice.pdf` gets it.
fn closed() -> (Reseller, Vec<u8>) {
    let reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.register(&[("d1", "", "5000")]);
    reseller.add_contacts("d1", 3, "2026-10-31T12:00:00Z");
    reseller.run(&["close"]).expect(0);
    reseller.run(&[&PDF[..], &["invoice.pdf"]].concat()).expect(0);
    let pdf = fs::read(reseller.path("invoice.pdf")).unwrap();
    (reseller, pdf)
}

/// What the command prints, byte by byte.
fn run(reseller: &Reseller, arguments: &[&str]) -> Output {
    reseller.command(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Makes a pipe or a device; whether that is permitted here.
fn make(path: &Path, program: &str, arguments: &[&str]) -> bool {
    let made = Command::new(program).arg(path).args(arguments).output();
    made.is_ok_and(|made| made.status.success())
}

#[rstest]
#[case("-")]
#[case("/proc/self/fd/1")]
fn a_file_on_standard_output_is_mixed_with_nothing(#[case] name: &str) {
    let (reseller, pdf) = closed();
    let printed = run(&reseller, &[&PDF[..], &[name]].concat());
    assert!(printed.status.success());
    assert!(printed.stdout == pdf, "{}", text(&printed.stdout));
    let told = text(&printed.stderr);
    assert!(told.contains("evidence SHA-256") && told.contains(&format!("wrote {name}")), "{told}");
    // Into a file, too.
    let file = File::create(reseller.path("printed.pdf")).unwrap();
    let printed = reseller.command(&[&PDF[..], &[name]].concat()).stdout(file).output().unwrap();
    assert!(printed.status.success());
    assert_eq!(fs::read(reseller.path("printed.pdf")).unwrap(), pdf);

    let evidence = ["invoice", "2026-000001", "--evidence", name];
    assert!(text(&run(&reseller, &evidence).stdout).starts_with("id,contact"));
    let preview = ["preview", "--month", "2026-10", "--dealership", "d1", "--pdf", name];
    assert!(run(&reseller, &preview).stdout.starts_with(b"%PDF"));
    let export = ["export", "--dealerships", name, "--contracts", "c.csv"];
    assert!(text(&run(&reseller, &export).stdout).starts_with("id,name"));
    assert!(!reseller.path("-").exists());
}

#[rstest]
#[case(&["invoice", "2026-000001", "--pdf", "-", "--json"], "--json")]
#[case(&["invoice", "2026-000001", "--pdf", "-", "--statement", "/proc/self/fd/1"], "two files")]
#[case(&["preview", "--month", "2026-10", "--pdf", "-", "--json"], "--json")]
#[case(&["export", "--dealerships", "-", "--json"], "--json")]
#[case(&["export", "--dealerships", "-", "--contracts", "-"], "two files")]
fn standard_output_is_shared_by_nobody(#[case] arguments: &[&str], #[case] why: &str) {
    let (reseller, _) = closed();
    let refused = run(&reseller, arguments);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains(why), "{}", text(&refused.stderr));
    let printed = text(&refused.stdout);
    assert!(printed.is_empty() || printed.starts_with("{\"error\""), "{printed}");
}

#[test]
fn a_pipe_is_written_to_and_stays_a_pipe() {
    let (reseller, pdf) = closed();
    let pipe = reseller.path("pipe.pdf");
    assert!(make(&pipe, "mkfifo", &[]));
    let read = |arguments: &[&str]| {
        let from = pipe.clone();
        let reader = std::thread::spawn(move || fs::read(from).unwrap());
        let told = reseller.run(arguments).expect(0).stdout;
        assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
        (reader.join().unwrap(), told)
    };
    let (found, told) = read(&[&PDF[..], &["pipe.pdf"]].concat());
    assert_eq!(found, pdf);
    assert!(told.contains("wrote pipe.pdf"), "{told}");
    let preview = ["preview", "--month", "2026-10", "--dealership", "d1", "--pdf", "pipe.pdf"];
    assert!(read(&preview).0.starts_with(b"%PDF"));
    let (found, _) = read(&["export", "--dealerships", "pipe.pdf", "--json"]);
    assert!(found.starts_with(b"id,name"));
    assert!(!reseller.path("pipe.pdf.bak").exists());
}

/// A copy of `/dev/null`, in the test's own folder: as root, a careless command would replace it.
#[test]
fn a_device_is_written_to_and_stays_a_device() {
    let (reseller, _) = closed();
    let device = reseller.path("null");
    let is_usable = make(&device, "mknod", &["c", "1", "3"])
        && File::options().write(true).open(&device).is_ok();
    if !is_usable {
        return eprintln!("no device can be made here: not tested");
    }
    symlink("null", reseller.path("link")).unwrap();
    for name in ["null", "link"] {
        let told = reseller.run(&[&PDF[..], &[name]].concat()).expect(0).stdout;
        assert!(told.contains(&format!("wrote {name}")), "{told}");
        reseller.run(&["export", "--dealerships", name, "--contracts", name]).expect(0);
        let preview = ["preview", "--month", "2026-10", "--dealership", "d1", "--pdf", name];
        reseller.run(&preview).expect(0);
    }
    assert!(fs::symlink_metadata(&device).unwrap().file_type().is_char_device());
    assert!(fs::symlink_metadata(reseller.path("link")).unwrap().is_symlink());
    assert!(!reseller.path("null.bak").exists());
    // The text goes where it always goes, even if that is a device as well.
    let null = || File::options().write(true).open(&device).unwrap();
    let both = [&PDF[..], &["null", "--json"]].concat();
    let printed = reseller.command(&both).stdout(null()).output().unwrap();
    assert!(printed.status.success() && printed.stderr.is_empty(), "{}", text(&printed.stderr));
}

/// A number that no driver has: opened, it would be an error of another kind.
#[test]
fn a_disk_is_refused() {
    let (reseller, _) = closed();
    if !make(&reseller.path("disk.pdf"), "mknod", &["b", "240", "0"]) {
        return eprintln!("no device can be made here: not tested");
    }
    let refused = reseller.run(&[&PDF[..], &["disk.pdf"]].concat()).expect(2).stderr;
    assert!(refused.contains("disk.pdf is not written to: it is a block device"), "{refused}");
    let disk = fs::symlink_metadata(reseller.path("disk.pdf")).unwrap();
    assert!(disk.file_type().is_block_device());
}

#[test]
fn behind_a_link_the_file_is_replaced_and_the_link_stays() {
    let (reseller, pdf) = closed();
    fs::create_dir(reseller.path("archive")).unwrap();
    reseller.write("archive/old.pdf", "old");
    symlink("archive/old.pdf", reseller.path("old.pdf")).unwrap();
    symlink("old.pdf", reseller.path("older.pdf")).unwrap();
    symlink("archive/new.pdf", reseller.path("new.pdf")).unwrap();
    for (link, file) in [("older.pdf", "archive/old.pdf"), ("new.pdf", "archive/new.pdf")] {
        reseller.run(&[&PDF[..], &[link]].concat()).expect(0);
        assert_eq!(fs::read(reseller.path(file)).unwrap(), pdf);
        assert!(fs::symlink_metadata(reseller.path(link)).unwrap().is_symlink());
    }
    assert!(fs::symlink_metadata(reseller.path("old.pdf")).unwrap().is_symlink());

    reseller.write("archive/people.csv", "before");
    symlink("archive/people.csv", reseller.path("people.csv")).unwrap();
    reseller.run(&["export", "--dealerships", "people.csv"]).expect(0);
    assert!(fs::symlink_metadata(reseller.path("people.csv")).unwrap().is_symlink());
    let people = fs::read_to_string(reseller.path("archive/people.csv")).unwrap();
    assert!(people.starts_with("id,name"), "{people}");
    assert_eq!(fs::read_to_string(reseller.path("people.csv.bak")).unwrap(), "before");
}

#[test]
fn a_loop_of_links_and_a_folder_are_named() {
    let (reseller, _) = closed();
    symlink("loop.pdf", reseller.path("loop.pdf")).unwrap();
    fs::create_dir(reseller.path("folder")).unwrap();
    for name in ["loop.pdf", "folder", "nowhere/invoice.pdf"] {
        let refused = reseller.run(&[&PDF[..], &[name]].concat()).expect(2).stderr;
        assert!(refused.contains(&format!("{name} cannot be written: ")), "{refused}");
    }
}
