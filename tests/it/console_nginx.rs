//! The console behind Debian's nginx over TLS, with the configuration that docs/console.md tells.

use serde_json::json;

use crate::support::chromium::{PASSWORD, Story, free_port, invite};
use crate::support::daemon::Shift;
use crate::support::nginx::Nginx;
use crate::support::reseller::{LedgerKind, Reseller};

#[test]
fn a_person_works_behind_nginx_over_tls() {
    let mut reseller = Reseller::new(LedgerKind::Sqlite);
    let address = format!("127.0.0.1:{}", free_port());
    let nginx = Nginx::start(&address);
    let base = "https://fecha.example.com";
    let set = |name: &str, value: &str| (format!("FECHA_CONSOLE__{name}"), value.to_owned());
    reseller.variables.push(set("LISTEN", &address));
    reseller.variables.push(set("PUBLIC_URL", base));
    reseller.at("2026-10-31 12:00:00");
    reseller.register(&[("d1", "", "5000")]);
    reseller.add_contacts("d1", 100, "2026-10-30T12:00:00Z");
    let link = invite(&reseller, "ana@example.com", "Ana Souza", "admin");
    assert!(link.starts_with("https://fecha.example.com/invitation/"), "{link}");
    let mut shift = Shift::new(&reseller, "2026-10-31T13:00:00Z");
    let daemon = shift.start();
    daemon.says("the daemon runs");

    let told = json!({"base": base, "resolve": format!("MAP fecha.example.com 127.0.0.1:{}", nginx.port()), "link": link, "password": PASSWORD});
    let mut story = Story::start("nginx", &told);
    story.reaches("before");
    // Whoever counts has to wait for this.
    let messages = reseller.messages();
    messages.execute_batch("BEGIN EXCLUSIVE").unwrap();
    story.go_on(&json!({}));
    story.reaches("waits");
    messages.execute_batch("COMMIT").unwrap();
    story.go_on(&json!({}));
    let end = story.ends();
    let cookie = &end["cookie"];
    assert_eq!((&cookie["secure"], &cookie["httpOnly"]), (&json!(true), &json!(true)), "{cookie}");
    assert!(cookie["name"].as_str().unwrap().starts_with("__Host-"), "{cookie}");
    assert!(end["hsts"].as_str().is_some_and(|age| age.starts_with("max-age=")), "{end}");
    assert!(end["said"].as_str().is_some_and(|said| said.contains("nunca")), "{end}");
    assert!(!nginx.log().contains("[error]"), "{}", nginx.log());
}
