//! Where a command's files go: regular files, links, pipes, devices, standard output. Nothing but a regular
//! file is ever replaced, and only by one of its kind. No device outside of a test's folder is touched.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rstest::rstest;

use crate::support::daemon::eventually;
use crate::support::reseller::{DEALERSHIP_HEADER, LedgerKind, Reseller, dealership};

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
    reseller.write("archive/old.pdf", "%PDF-old");
    symlink("archive/old.pdf", reseller.path("old.pdf")).unwrap();
    symlink("old.pdf", reseller.path("older.pdf")).unwrap();
    symlink("archive/new.pdf", reseller.path("new.pdf")).unwrap();
    for (link, file) in [("older.pdf", "archive/old.pdf"), ("new.pdf", "archive/new.pdf")] {
        reseller.run(&[&PDF[..], &[link]].concat()).expect(0);
        assert_eq!(fs::read(reseller.path(file)).unwrap(), pdf);
        assert!(fs::symlink_metadata(reseller.path(link)).unwrap().is_symlink());
    }
    assert!(fs::symlink_metadata(reseller.path("old.pdf")).unwrap().is_symlink());

    let before = format!("{DEALERSHIP_HEADER}before\n");
    reseller.write("archive/people.csv", &before);
    symlink("archive/people.csv", reseller.path("people.csv")).unwrap();
    reseller.run(&["export", "--dealerships", "people.csv"]).expect(0);
    assert!(fs::symlink_metadata(reseller.path("people.csv")).unwrap().is_symlink());
    let people = fs::read_to_string(reseller.path("archive/people.csv")).unwrap();
    assert!(people.starts_with("id,name"), "{people}");
    assert_eq!(fs::read_to_string(reseller.path("people.csv.bak")).unwrap(), before);
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

const EVIDENCE: [&str; 3] = ["invoice", "2026-000001", "--evidence"];

/// What a file that must not be replaced holds.
fn bytes(reseller: &Reseller, name: &str) -> Vec<u8> {
    fs::read(reseller.path(name)).unwrap()
}

#[test]
fn only_a_file_of_the_kind_is_replaced() {
    let (reseller, pdf) = closed();
    reseller.run(&[&EVIDENCE[..], &["evidence.csv"]].concat()).expect(0);
    reseller.run(&["export"]).expect(0);
    reseller.write("notes.txt", "mine");
    reseller.write("people.csv", "id,name,price\n1,Radio,3.00\n");
    let all = [
        "invoice.pdf",
        "evidence.csv",
        "dealerships.csv",
        "contracts.csv",
        "notes.txt",
        "people.csv",
    ];
    let commands: [(&[&str], &[&str]); 6] = [
        (&PDF, &["invoice.pdf"]),
        (&["invoice", "2026-000001", "--statement"], &["invoice.pdf"]),
        (&["preview", "--month", "2026-10", "--dealership", "d1", "--pdf"], &["invoice.pdf"]),
        (&EVIDENCE, &["evidence.csv"]),
        (&["export", "--contracts", "c.csv", "--dealerships"], &["dealerships.csv"]),
        (&["export", "--dealerships", "d.csv", "--contracts"], &["contracts.csv"]),
    ];
    for (command, kinds) in commands {
        for name in all {
            let before = bytes(&reseller, name);
            if name != "invoice.pdf" && command.contains(&"preview") {
                continue; // without its ending it is a folder's name
            }
            let ran = reseller.run(&[command, &[name]].concat());
            if kinds.contains(&name) {
                ran.expect(0);
                continue;
            }
            let told = ran.expect(2).stderr;
            assert!(told.contains(&format!("{name} is not replaced: it is not a")), "{told}");
            assert_eq!(bytes(&reseller, name), before, "{command:?} {name}");
        }
    }
    reseller.write("empty", "");
    for name in ["empty", "notes.txt"] {
        let force: &[&str] = if name == "empty" { &[] } else { &["--force"] };
        reseller.run(&[&PDF[..], &[name], force].concat()).expect(0);
        assert_eq!(bytes(&reseller, name), pdf);
    }
    // What is refused is refused before anything is written.
    let both = ["invoice", "2026-000001", "--pdf", "new.pdf", "--evidence", "people.csv"];
    reseller.run(&both).expect(2);
    assert!(!reseller.path("new.pdf").exists());
    let twice = ["invoice", "2026-000001", "--pdf", "new.pdf", "--statement", "./new.pdf"];
    let told = reseller.run(&twice).expect(2).stderr;
    assert!(told.contains("two files cannot both be ./new.pdf"), "{told}");
}

#[test]
fn none_of_its_own_files_is_ever_replaced() {
    let (reseller, _) = closed();
    symlink("fecha.db", reseller.path("link.pdf")).unwrap();
    fs::hard_link(reseller.path("messages.db"), reseller.path("second.pdf")).unwrap();
    fs::hard_link(reseller.path("fecha.toml"), reseller.path("toml.pdf")).unwrap();
    fs::create_dir(reseller.path("there")).unwrap();
    let books =
        ["fecha.db", "link.pdf", "there/../fecha.db", "messages.db", "second.pdf", "evidence.key"];
    let kept: Vec<_> = books.iter().map(|name| bytes(&reseller, name)).collect();
    let toml = bytes(&reseller, "fecha.toml");
    for (name, kept) in books.iter().zip(&kept) {
        for command in [
            &PDF[..],
            &EVIDENCE,
            &["export", "--contracts", "c.csv", "--dealerships"],
            &["export", "--dealerships", "d.csv", "--contracts"],
        ] {
            for force in [&[][..], &["--force"]] {
                let told = reseller.run(&[command, &[name], force].concat()).expect(2).stderr;
                assert!(told.contains(&format!("{name} is not replaced: it is the ")), "{told}");
                assert!(*kept == bytes(&reseller, name), "{command:?} {name}");
            }
        }
    }
    // A name that is fecha's is not taken either while there is nothing.
    for name in ["fecha.db-wal", "fecha.db-journal", "messages.db-shm"] {
        fs::remove_file(reseller.path(name)).ok();
        reseller.run(&[&PDF[..], &[name]].concat()).expect(2);
    }
    for name in ["fecha.toml", "toml.pdf"] {
        let told = reseller.run(&[&PDF[..], &[name]].concat()).expect(2).stderr;
        assert!(told.contains("it is the configuration. --force replaces it"), "{told}");
        assert_eq!(bytes(&reseller, name), toml);
    }
    // What a person wrote, a person may replace.
    fs::copy(reseller.path("fecha.toml"), reseller.path("other.toml")).unwrap();
    let force =
        ["--config", "other.toml", "invoice", "2026-000001", "--pdf", "other.toml", "--force"];
    reseller.run(&force).expect(0);
    assert!(bytes(&reseller, "other.toml").starts_with(b"%PDF"));
    reseller.run(&["verify", "--month", "2026-10"]).expect(0);
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

/// All files and folders under one, but what the tests made.
fn all_under(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() { [vec![path.clone()], all_under(&path)].concat() } else { vec![path] }
        })
        .collect()
}

/// Started with a umask of nothing, and one that is stricter than fecha's.
#[rstest]
#[case("000", 0o640, 0o750)]
#[case("077", 0o600, 0o700)]
fn nobody_else_reads_what_is_made(#[case] umask: &str, #[case] file: u32, #[case] folder: u32) {
    let reseller = Reseller::new(LedgerKind::Sqlite);
    let row = format!("{DEALERSHIP_HEADER}{}", dealership("d1", ""));
    reseller.write("d.csv", &row);
    reseller.write("c.csv", "dealership_id,from_month,package\nd1,2026-01,5000\n");
    reseller.add_contacts("d1", 3, "2026-10-31T12:00:00Z");
    let ours: Vec<PathBuf> = all_under(&reseller.path(""));
    let run = |arguments: &str| {
        let fecha = reseller.command(&[]);
        let script = format!("umask {umask}; exec \"$0\" {arguments}");
        let mut shell = Command::new("sh");
        shell.args(["-c", &script]).arg(fecha.get_program());
        shell.current_dir(fecha.get_current_dir().unwrap());
        shell.envs(fecha.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let ran = shell.output().unwrap();
        assert!(ran.status.success(), "{arguments}: {}", text(&ran.stderr));
    };
    run("import --dealerships d.csv --contracts c.csv");
    run("close");
    // While it is open the ledger is three files.
    let open = rusqlite::Connection::open(reseller.path("fecha.db")).unwrap();
    open.query_row("SELECT COUNT(*) FROM invoice", [], |row| row.get::<_, i64>(0)).unwrap();
    run("deliver");
    run("invoice 2026-000001 --pdf i.pdf --statement s.pdf --evidence e.csv");
    run("export --dealerships out.csv --contracts out2.csv");
    run("preview --month 2026-10 --pdf previews");
    run("init new");
    run("demo --dir demo");
    let made: Vec<PathBuf> =
        all_under(&reseller.path("")).into_iter().filter(|path| !ours.contains(path)).collect();
    let names: Vec<_> = made.iter().map(|path| path.display().to_string()).collect();
    for name in [
        "fecha.db",
        "fecha.db-wal",
        "evidence.key",
        ".eml",
        "i.pdf",
        "out.csv",
        "new/fecha.toml",
        "demo/fecha.db",
        "demo/mail",
    ] {
        assert!(names.iter().any(|made| made.ends_with(name)), "{name}: {names:?}");
    }
    for path in made {
        let expected = match path.file_name().unwrap().to_str().unwrap() {
            "evidence.key" => 0o600,
            _ if path.is_dir() => folder,
            _ => file,
        };
        assert_eq!(mode(&path), expected, "{}: {:04o}", path.display(), mode(&path));
    }
}

/// A disk that is full, and a reader that has gone.
#[rstest]
#[case(&["invoices"])]
#[case(&["invoices", "--json"])]
#[case(&["invoices", "--csv"])]
#[case(&["status"])]
#[case(&["check"])]
#[case(&["verify", "--month", "2026-10", "--json"])]
#[case(&["invoice", "2026-000001", "--pdf", "-"])]
#[case(&["export", "--dealerships", "-"])]
#[case(&["init", "new"])]
#[case(&["--help"])]
#[case(&["close", "--help"])]
#[case(&["--version"])]
fn a_result_that_cannot_be_written_is_an_error(#[case] arguments: &[&str]) {
    let (reseller, _) = closed();
    let status = if arguments.contains(&"-") { 2 } else { 1 };
    let full = || File::options().write(true).open("/dev/full").unwrap();
    let ran = reseller.command(arguments).stdout(full()).output().unwrap();
    assert_eq!(ran.status.code(), Some(status), "{}", text(&ran.stderr));
    if !arguments.iter().any(|argument| ["--help", "--version"].contains(argument)) {
        assert!(text(&ran.stderr).contains("No space left on device"), "{}", text(&ran.stderr));
    }
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ran = reseller.command(arguments).stdout(writer).output().unwrap();
    assert_eq!(ran.status.code(), Some(status), "{}", text(&ran.stderr));
    // No log, message or bar that cannot be written is a panic.
    let ran =
        reseller.command(&[arguments, &["-vv"]].concat()).stdout(full()).stderr(full()).output();
    assert_eq!(ran.unwrap().status.code(), Some(status));
}

#[test]
fn a_file_that_cannot_be_written_is_an_error() {
    let (reseller, _) = closed();
    let told = reseller.run(&[&PDF[..], &["/dev/full"]].concat()).expect(2).stderr;
    assert!(told.contains("/dev/full cannot be written: No space left"), "{told}");
}

#[test]
fn a_configuration_has_an_end() {
    let (reseller, _) = closed();
    let told = reseller.run(&["--config", "/dev/zero", "status"]).expect(2).stderr;
    assert!(told.contains("/dev/zero cannot be read: it is larger than 1 MB"), "{told}");
    let long = format!("{}\n# {}", crate::support::reseller::CONFIG, "x".repeat(1_000_000));
    reseller.write("long.toml", &long);
    reseller.run(&["--config", "long.toml", "status"]).expect(2);
    symlink("/dev/zero", reseller.path("endless")).unwrap();
    for command in [
        &["import", "--dealerships", "endless"][..],
        &["import", "--contracts", "endless"],
        &["pay", "--file", "endless"],
        &["simulate", "--prices", "endless", "--from", "2026-10", "--to", "2026-10"],
    ] {
        let told = reseller.run(command).expect(2).stderr;
        assert!(told.contains("endless") && told.contains("larger than"), "{told}");
    }
    // A pipe is as good as a file.
    assert!(make(&reseller.path("pipe"), "mkfifo", &[]));
    let (from, to) = (reseller.path("fecha.toml"), reseller.path("pipe"));
    let writer = std::thread::spawn(move || fs::write(to, fs::read(from).unwrap()).unwrap());
    reseller.run(&["--config", "pipe", "invoices"]).expect(0);
    writer.join().unwrap();
}

/// A disk that is full takes no log, and the daemon goes on.
#[test]
fn a_log_that_cannot_be_written_ends_no_daemon() {
    let (reseller, _) = closed();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut daemon = reseller.command(&["daemon", "-vv"]);
    let mut daemon = daemon
        .env("FECHA_CONSOLE__LISTEN", &address)
        .stderr(full)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let answers = || {
        let mut answer = String::new();
        let mut stream = TcpStream::connect(&address).ok()?;
        stream
            .write_all(b"GET /readyz HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
            .ok()?;
        stream.read_to_string(&mut answer).ok()?;
        answer.contains("\"ready\":true").then_some(())
    };
    eventually("the daemon is ready", || answers().is_some());
    let id = daemon.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    eventually("the daemon ends", || daemon.try_wait().unwrap().is_some());
    assert!(daemon.wait().unwrap().success());
}
