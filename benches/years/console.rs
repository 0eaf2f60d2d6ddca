//! What a page of the console takes, from the daemon, on a ledger of years: asked for by a person who is signed in.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use super::command::{Fecha, median};

/// What a page may take, in milliseconds, and how much it may be on the wire, in kilobytes.
const ALLOWED: (f64, usize) = (50.0, 20);

/// The pages, with a number, a dealership and a bank's file of 1,500 lines in place of `N`, `ID` and `UPLOAD`.
const PAGES: [&str; 31] = [
    "/",
    "/months",
    "/months?year=2023",
    "/months/2026-10",
    "/months/2026-10/differences",
    "/months/2026-11",
    "/invoices",
    "/invoices?after=1950-000800",
    "/invoices?state=open",
    "/invoices?state=overdue",
    "/invoices?state=part_paid",
    "/invoices?state=paid",
    "/invoices?state=void",
    "/invoices?month=2024-03",
    "/invoices?q=veiculos",
    "/invoices?q=ID",
    "/invoices?q=750",
    "/invoices?q=nada",
    "/invoices/N",
    "/receivables",
    "/receivables/import/UPLOAD",
    "/emails?state=sent",
    "/emails",
    "/dealerships",
    "/dealerships?q=veiculos%20d1",
    "/dealerships/ID",
    "/audit",
    "/audit?month=2026-10&who=unknown",
    "/audit?text=nowhere",
    "/simulate?from=2026-10&to=2026-10&overage=0,30&hsm=0,46&package_5000=1014,00",
    "/system",
];

/// A page: its address, the median of its milliseconds, its bytes.
pub type Page = (&'static str, f64, usize);

/// Somebody who is signed in.
struct Guest<'a> {
    address: &'a str,
    cookie: String,
}

impl Guest<'_> {
    /// The answer, of which a compressed body is no text.
    fn ask(&self, head: &str, kind: &str, body: &str) -> Vec<u8> {
        let mut line = TcpStream::connect(self.address).expect("a line");
        let (host, cookie) = (self.address, &self.cookie);
        let head = format!(
            "{head} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nSec-Fetch-Site: same-origin\r\n\
             Accept-Encoding: gzip\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        line.write_all(head.as_bytes()).expect("a request");
        let mut answer = Vec::new();
        line.read_to_end(&mut answer).expect("an answer");
        answer
    }

    fn sign_in(&mut self, fecha: &Fecha) {
        let add = [
            "--json",
            "people",
            "add",
            "--email",
            "b@example.com",
            "--role",
            "finance",
            "--by",
            "b",
        ];
        let said = fecha.said(&add);
        let link = said.split("/invitation/").nth(1).and_then(|rest| rest.split('"').next());
        let path = format!("POST /invitation/{}", link.expect("a link"));
        let word = "quatro+palavras+bem+longas";
        let body = format!("password={word}&again={word}");
        let answer = self.ask(&path, "application/x-www-form-urlencoded", &body);
        let answer = String::from_utf8_lossy(&answer);
        let cookie = answer.split("fecha_session=").nth(1).and_then(|rest| rest.split(';').next());
        self.cookie = format!("fecha_session={}", cookie.expect("a session"));
    }

    /// Sends a bank's file in; the page of its lines.
    fn send(&self, file: &str) -> String {
        let body = format!(
            "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.ofx\"\r\n\r\n{file}\r\n--b--\r\n"
        );
        let answer = self.ask("POST /receivables/import", "multipart/form-data; boundary=b", &body);
        let answer = String::from_utf8_lossy(&answer);
        let page = answer.split("location: ").nth(1).and_then(|rest| rest.split("\r\n").next());
        page.unwrap_or_else(|| panic!("no page: {answer}")).to_owned()
    }
}

/// A bank's file with a payment for each invoice of the month, by its number.
fn statement() -> String {
    let line = |number: usize| {
        format!(
            "<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20261101<TRNAMT>1014.00<FITID>A{number}<MEMO>PIX RECEBIDO FATURA 2026-{number:06}</STMTTRN>\n"
        )
    };
    let head = "OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nSECURITY:NONE\nENCODING:UTF-8\nCHARSET:NONE\nCOMPRESSION:NONE\nOLDFILEUID:NONE\nNEWFILEUID:NONE\n\n";
    let lines: String = (1..=1_500).map(line).collect();
    format!(
        "{head}<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>BRL<BANKACCTFROM><BANKID>0341<ACCTID>1<ACCTTYPE>CHECKING</BANKACCTFROM><BANKTRANLIST>\n{lines}</BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>\n"
    )
}

/// Asks for each page so many times.
pub fn measure(fecha: &Fecha, runs: usize, number: &str, dealership: &str) -> Vec<Page> {
    let (_daemon, address) = fecha.daemon();
    let mut guest = Guest { address: &address, cookie: String::new() };
    guest.sign_in(fecha);
    let upload = guest.send(&statement());
    let page = |path: &'static str| {
        let asked = path
            .replace("/receivables/import/UPLOAD", &upload)
            .replace("/N", &format!("/{number}"))
            .replace("ID", dealership);
        let mut bytes = 0;
        let seconds = median(runs, || {
            let answer = guest.ask(&format!("GET {asked}"), "text/plain", "");
            let is_shown = answer.starts_with(b"HTTP/1.1 200");
            assert!(is_shown, "{asked}: {}", String::from_utf8_lossy(&answer));
            bytes = answer.len();
        });
        (path, seconds * 1000.0, bytes)
    };
    PAGES.into_iter().map(page).collect()
}

/// A row for each page.
pub fn table(pages: &[Page]) -> String {
    let mut text = "\n| page, at the last size | ms | KB |\n|---|---:|---:|\n".to_owned();
    for (path, took, bytes) in pages {
        let slow = if *took > ALLOWED.0 { ", too much" } else { "" };
        let large = if *bytes > ALLOWED.1 * 1000 { ", too much" } else { "" };
        let _ =
            writeln!(text, "| `{path}` | {took:.1}{slow} | {:.1}{large} |", *bytes as f64 / 1000.0);
    }
    text
}
