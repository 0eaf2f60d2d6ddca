//! PDF files as their readers meet them: through poppler, qpdf and a QR reader.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A PDF in a file of its own.
pub struct Pdf {
    folder: tempfile::TempDir,
    pub bytes: Vec<u8>,
}

/// A word on a page, in points from the top left corner.
#[derive(Debug)]
pub struct Word {
    pub page: usize,
    pub left: f32,
    pub top: f32,
    pub right: f32,
    pub bottom: f32,
    pub text: String,
}

impl Pdf {
    pub fn new(bytes: Vec<u8>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.pdf"), &bytes).unwrap();
        Self { folder, bytes }
    }

    /// The file.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("a.pdf")
    }

    /// The text, as a reader sees it from top to bottom.
    pub fn text(&self) -> String {
        run("pdftotext", &["-layout", "-nopgbrk", path_str(&self.path()), "-"])
    }

    /// The text in the order of paragraphs, as a program copies it.
    pub fn copied_text(&self) -> String {
        run("pdftotext", &["-nopgbrk", path_str(&self.path()), "-"])
    }

    pub fn info(&self, key: &str) -> String {
        let info = run("pdfinfo", &[path_str(&self.path())]);
        let line = info.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
        line.unwrap_or_else(|| panic!("no {key} in {info}")).trim().to_owned()
    }

    pub fn qr_code(&self) -> String {
        let image = self.folder.path().join("page");
        let prefix = path_str(&image);
        run(
            "pdftoppm",
            &[
                "-r",
                "110",
                "-f",
                "1",
                "-l",
                "1",
                "-singlefile",
                "-png",
                path_str(&self.path()),
                prefix,
            ],
        );
        run("zbarimg", &["-q", "--raw", &format!("{prefix}.png")]).trim_end().to_owned()
    }

    pub fn words(&self) -> Vec<Word> {
        let html = run("pdftotext", &["-bbox", path_str(&self.path()), "-"]);
        let mut page = 0;
        let mut words = Vec::new();
        for line in html.lines().map(str::trim) {
            page += usize::from(line.starts_with("<page"));
            let Some(word) = line.strip_prefix("<word ") else { continue };
            let side = |name: &str| {
                let (_, rest) = word.split_once(&format!("{name}=\"")).unwrap();
                rest.split_once('"').unwrap().0.parse().unwrap()
            };
            let text = word.split_once('>').unwrap().1.trim_end_matches("</word>").to_owned();
            let (left, top, right, bottom) =
                (side("xMin"), side("yMin"), side("xMax"), side("yMax"));
            words.push(Word { page, left, top, right, bottom, text });
        }
        words
    }

    /// A well-formed file whose words stand inside the margins and not on one another.
    pub fn assert_sound(&self) {
        run("qpdf", &["--check", path_str(&self.path())]);
        let words = self.words();
        assert!(words.len() > 40, "{words:?}");
        for word in &words {
            let inside =
                word.left > 49.0 && word.right < 547.0 && word.top > 40.0 && word.bottom < 820.0;
            assert!(inside, "beyond the margins: {word:?}");
        }
        for (index, one) in words.iter().enumerate() {
            for other in words[index + 1..].iter().filter(|other| other.page == one.page) {
                let apart = one.right < other.left + 0.5
                    || other.right < one.left + 0.5
                    || one.bottom < other.top + 0.5
                    || other.bottom < one.top + 0.5;
                assert!(apart, "overlap: {one:?} and {other:?}");
            }
        }
    }
}

pub fn path_str(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// What a program prints; fails where the program does, warnings included.
pub fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}; is it installed?"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {errors}");
    // Poppler writes an emoji of the metadata as two surrogates.
    String::from_utf8_lossy(&output.stdout).into_owned()
}
