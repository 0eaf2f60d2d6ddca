//! What a form about money asks before it records, and what it refuses: nothing is recorded then, and what was
//! typed stays.

use rstest::rstest;

use crate::money::{NOON, closed, finance, hash, ofx, to_pay};
use crate::support::browser::{Answer, Browser};
use crate::support::daemon::Shift;
use crate::support::reseller::{DEALERSHIP_HEADER, LedgerKind, Reseller, dealership};

const PAGE: &str = "/invoices/2026-000001";

fn pay(ana: &mut Browser, fields: &[(&str, &str)]) -> Answer {
    ana.post(&format!("{PAGE}/pay"), fields)
}

fn payments(reseller: &Reseller) -> i64 {
    reseller.ledger_number("SELECT COUNT(*) FROM payment")
}

/// The value of a box that the page asks to be ticked.
fn asked(answer: &Answer, name: &str) -> String {
    let after = answer.body.split(&format!("name=\"{name}\" value=\"")).nth(1);
    let after = after.unwrap_or_else(|| panic!("no box {name}: {}", answer.body));
    after.split('"').next().unwrap().to_owned()
}

#[rstest]
fn a_reference_is_one_printable_line(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = closed(ledger);
    let mut shift = Shift::new(&reseller, NOON);
    let daemon = shift.start();
    let mut ana = finance(&reseller, &daemon);
    let long = "é".repeat(101);
    for (reference, said) in [
        ("a\r\nb", "quebra de linha ou um sinal invisível"),
        ("a\u{202e}b", "quebra de linha ou um sinal invisível"),
        (long.as_str(), "A referência tem 101 letras"),
    ] {
        let fields = [("on", "2026-11-10"), ("amount", "14,00"), ("reference", reference)];
        let refused = pay(&mut ana, &fields).expect(422).body;
        assert!(refused.contains(said) && refused.contains("value=\"14,00\""), "{refused}");
        ana.post("/receivables/of/d1/pay", &fields).expect(422);
    }
    let fits = "é".repeat(100);
    let fields = [("on", "2026-11-10"), ("amount", "14,00"), ("reference", fits.as_str())];
    assert_eq!(pay(&mut ana, &fields).leads_to(), PAGE);

    // The command line, too; of a file the line is for a person.
    let typed = ["pay", "2026-000001", "--on", "2026-11-10", "--amount", "1.00", "--reference"];
    let refused = reseller.run(&[&typed[..], &[&long]].concat()).expect(2).stderr;
    assert!(refused.contains("101 letters: 100 at most"), "{refused}");
    reseller.write(
        "pagas.csv",
        &format!(
            "number,on,amount,reference\n2026-000002,2026-11-10,5.00,{long}\n2026-000002,2026-11-10,6.00,A1\n"
        ),
    );
    let told = reseller.run(&["pay", "--file", "pagas.csv"]).expect(1).stdout;
    assert!(told.contains("1 recorded") && told.contains("101 letters: 100 at most"), "{told}");
    let file = std::fs::read_to_string(reseller.path("pagas.csv")).unwrap();
    let sent = ana.upload("/receivables/import", "pagas.csv", &file);
    let shown = ana.get(sent.leads_to()).expect(200).body;
    assert!(shown.contains("A referência tem 101 letras"), "{shown}");
    assert_eq!(payments(&reseller), 2);
}

#[rstest]
fn more_than_is_open_or_before_the_issue_is_asked(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = closed(ledger);
    let mut shift = Shift::new(&reseller, NOON);
    let daemon = shift.start();
    let mut ana = finance(&reseller, &daemon);
    let more = [("on", "2026-11-10"), ("amount", "1.500,00"), ("reference", "E1")];
    let page = pay(&mut ana, &more).expect(422);
    for words in [
        "R$\u{a0}1.500,00 é mais que os R$\u{a0}1.014,00 em aberto",
        "R$\u{a0}486,00 ficam à espera na conta",
        "value=\"1.500,00\"",
        "value=\"E1\"",
    ] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    let waits = asked(&page, "waits");
    // It was said of another amount.
    let other = [("on", "2026-11-10"), ("amount", "1.600,00"), ("waits", waits.as_str())];
    pay(&mut ana, &other).expect(422);
    let early = [("on", "2026-01-02"), ("amount", "1.500,00"), ("waits", waits.as_str())];
    let page = pay(&mut ana, &early).expect(422);
    assert!(page.body.contains("é anterior à emissão da fatura 2026-000001"), "{}", page.body);
    let (ticked, day) = (format!("value=\"{waits}\" checked"), asked(&page, "early"));
    assert!(page.body.contains(&ticked), "what was said stays: {}", page.body);
    assert_eq!(payments(&reseller), 0);
    let both = [&early[..], &[("early", day.as_str())]].concat();
    assert_eq!(pay(&mut ana, &both).leads_to(), PAGE);
    assert_eq!(to_pay(&reseller, "2026-000001"), "0.00");

    // The command line is not asked: it says what waits.
    let typed = ["pay", "2026-000002", "--on", "2026-01-02", "--amount", "2000.00"];
    let told = reseller.run(&typed).expect(0).stdout;
    assert!(told.contains("986,00"), "{told}");
}

#[rstest]
fn what_is_recorded_already_is_said_as_it_is(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = closed(ledger);
    let mut shift = Shift::new(&reseller, NOON);
    let daemon = shift.start();
    let mut ana = finance(&reseller, &daemon);
    let first = [("on", "2026-11-10"), ("amount", "100,00")];
    assert_eq!(pay(&mut ana, &first).leads_to(), PAGE);
    let named = [&first[..], &[("reference", "E1")]].concat();
    let refused = pay(&mut ana, &named).expect(422).body;
    for words in ["já está registrado, sem referência", "value=\"E1\"", "value=\"100,00\""] {
        assert!(refused.contains(words), "{words}: {refused}");
    }
    let references = reseller.ledger_number("SELECT COUNT(*) FROM payment WHERE reference = 'E1'");
    assert_eq!((payments(&reseller), references), (1, 0));
    let again = [&named[..], &[("again", "yes")]].concat();
    assert_eq!(pay(&mut ana, &again).leads_to(), PAGE);
    let refused = pay(&mut ana, &named).expect(422).body;
    assert!(refused.contains("já está registrado, com a referência E1"), "{refused}");
    let rest = [("on", "2026-11-10"), ("amount", "")];
    assert_eq!(pay(&mut ana, &[&rest[..], &[("again", "yes")]].concat()).leads_to(), PAGE);
    let refused = pay(&mut ana, &rest).expect(422).body;
    assert!(refused.contains("não tem nada em aberto"), "{refused}");
    assert_eq!(payments(&reseller), 3);

    // On an account, and what is paid back.
    let account = "/receivables/of/d2";
    let fields = [("on", "2026-11-10"), ("amount", "300,00"), ("reference", "E7")];
    assert_eq!(ana.post(&format!("{account}/pay"), &fields).leads_to(), account);
    let refused = ana.post(&format!("{account}/pay"), &fields).expect(422).body;
    assert!(refused.contains("já está registrado, com a referência E7"), "{refused}");
    let refund = [("on", "2026-11-12"), ("amount", "50,00"), ("reason", "a mais")];
    assert_eq!(ana.post(&format!("{account}/refund"), &refund).leads_to(), account);
    let refused = ana.post(&format!("{account}/refund"), &refund).expect(422).body;
    assert!(refused.contains("marque “É mais uma devolução igual”"), "{refused}");
    assert!(refused.contains("value=\"50,00\"") && refused.contains("value=\"a mais\""));
    let again = [&refund[..], &[("again", "yes")]].concat();
    assert_eq!(ana.post(&format!("{account}/refund"), &again).leads_to(), account);
    assert_eq!(reseller.ledger_number("SELECT COUNT(*) FROM refund"), 2);
}

#[rstest]
fn what_is_of_another_page_is_not_taken_back(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = closed(ledger);
    let mut shift = Shift::new(&reseller, NOON);
    let daemon = shift.start();
    let mut ana = finance(&reseller, &daemon);
    assert_eq!(pay(&mut ana, &[("on", "2026-11-10"), ("amount", "100,00")]).leads_to(), PAGE);
    let payment = reseller.ledger_texts("SELECT id FROM payment").remove(0);
    let fields = [("payment", payment.as_str()), ("reason", "fatura errada")];
    for path in ["/invoices/2026-000002/undo", "/receivables/of/d2/undo"] {
        let refused = ana.post(path, &fields).expect(422).body;
        assert!(refused.contains("não é desta página"), "{path}: {refused}");
    }
    assert_eq!(to_pay(&reseller, "2026-000001"), "914.00");
    let undone = ana.post("/receivables/of/d1/undo", &fields);
    assert_eq!(undone.leads_to(), "/receivables/of/d1");
}

#[rstest]
fn a_line_that_was_taken_back_counts_where_a_person_says_so(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = closed(ledger);
    let mut shift = Shift::new(&reseller, NOON);
    let daemon = shift.start();
    let mut ana = finance(&reseller, &daemon);
    let file = ofx(&[("1014.00", "A1", "PIX FATURA 2026-000001")]);
    reseller.write("extrato.ofx", &file);
    reseller.run(&["pay", "--file", "extrato.ofx"]).expect(0);
    let payment = reseller.ledger_texts("SELECT id FROM payment").remove(0);
    reseller.run(&["pay", "--undo", &payment, "--reason", "engano"]).expect(0);
    let page = ana.upload("/receivables/import", "extrato.ofx", &file).leads_to().to_owned();
    let shown = ana.get(&page).expect(200);
    let fields = [("hash", hash(&shown)), ("line-0", "2026-000001".to_owned())];
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    assert_eq!(ana.post(&page, &fields).leads_to(), page);
    assert_eq!(to_pay(&reseller, "2026-000001"), "0.00");

    // Two equal lines of a table, of which one is recorded: the other is.
    let first = "number,on,amount\n2026-000002,2026-11-10,5.00\n";
    reseller.write("um.csv", first);
    reseller.run(&["pay", "--file", "um.csv"]).expect(0);
    let both = format!("{first}2026-000002,2026-11-10,5.00\n");
    let page = ana.upload("/receivables/import", "dois.csv", &both).leads_to().to_owned();
    let shown = ana.get(&page).expect(200);
    assert_eq!(ana.post(&page, &[("hash", &hash(&shown))]).leads_to(), page);
    assert_eq!(to_pay(&reseller, "2026-000002"), "1004.00");
    reseller.run(&["verify", "--month", "2026-10"]).expect(0);
}

#[rstest]
fn a_credit_that_equals_another_is_asked_about(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = closed(ledger);
    let mut shift = Shift::new(&reseller, NOON);
    let daemon = shift.start();
    let mut ana = finance(&reseller, &daemon);
    let mut bia = Browser::signed_in(&reseller, &daemon, "bia@example.com", "finance");
    let (page, credit) = ("/dealerships/d1", "/dealerships/d1/credit");
    let fields = |kind: &'static str, description: &'static str| {
        [("kind", kind), ("amount", "120,00"), ("month", "2026-11"), ("description", description)]
    };
    let entered = || reseller.ledger_number("SELECT COUNT(*) FROM adjustment");
    assert_eq!(ana.post(credit, &fields("credit", "Um dia sem sistema")).leads_to(), page);
    let refused = bia.post(credit, &fields("credit", "Queda de outubro")).expect(422);
    for words in [
        "o mesmo para novembro de 2026: nº 1, “Um dia sem sistema”, -R$\u{a0}120,00, por ana@example.com",
        "É mais um crédito igual",
        "value=\"120,00\"",
        "value=\"Queda de outubro\"",
    ] {
        assert!(refused.body.contains(words), "{words}: {}", refused.body);
    }
    assert_eq!(entered(), 1);
    // A charge is none that is equal; and it is said of one note, not of whatever comes.
    assert_eq!(bia.post(credit, &fields("charge", "Taxa")).leads_to(), page);
    let beside = asked(&refused, "beside");
    let said = [&fields("credit", "Queda de outubro")[..], &[("beside", &beside)]].concat();
    let other = [&fields("charge", "Outra taxa")[..], &[("beside", &beside)]].concat();
    let refused = bia.post(credit, &other).expect(422).body;
    assert!(refused.contains("É mais uma cobrança igual"), "{refused}");
    assert_eq!(bia.post(credit, &said).leads_to(), page);
    // The same answer in another tab: one more is there since.
    let refused = ana.post(credit, &said).expect(422).body;
    assert!(refused.contains("nº 3, “Queda de outubro”"), "{refused}");
    assert_eq!(entered(), 3);
    // What was taken back is no other one.
    for note in [1, 3] {
        assert_eq!(ana.post(&format!("{credit}/{note}/undo"), &[]).leads_to(), page);
    }
    assert_eq!(ana.post(credit, &fields("credit", "De novo")).leads_to(), page);

    // Two at once: one of them is asked.
    let both = [ana.clone(), bia.clone()].map(|mut browser| {
        let credit = credit.to_owned();
        std::thread::spawn(move || {
            let amount = [("kind", "credit"), ("amount", "7,00"), ("month", "2026-11")];
            let fields = [&amount[..], &[("description", "Ao mesmo tempo")]].concat();
            browser.post(&credit, &fields).status
        })
    });
    let mut both = both.map(|thread| thread.join().unwrap());
    both.sort_unstable();
    assert_eq!(both, [303, 422]);

    // The command line is not asked.
    let typed = ["adjust", "--dealership", "d1", "--month", "2026-11", "--amount", "-120.00"];
    reseller.run(&[&typed[..], &["--description", "Mais um"]].concat()).expect(0);
    assert_eq!(entered(), 6);
}

#[rstest]
fn money_of_the_account_settles_what_was_shown(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = closed(ledger);
    let mut shift = Shift::new(&reseller, NOON);
    let daemon = shift.start();
    let mut ana = finance(&reseller, &daemon);
    let mut bia = Browser::signed_in(&reseller, &daemon, "bia@example.com", "finance");
    let fields = [("on", "2026-11-10"), ("amount", "400,00")];
    assert_eq!(ana.post("/receivables/of/d1/pay", &fields).leads_to(), "/receivables/of/d1");
    let path = format!("{PAGE}/from-account");
    let fields = |shown: &Answer, amount: &'static str| {
        let [open, waiting] = ["open", "waiting"].map(|name| asked(shown, name));
        [("amount", amount.to_owned()), ("open", open), ("waiting", waiting)]
    };
    let take = |browser: &mut Browser, fields: &[(&str, String)]| {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
        browser.post(&path, &fields)
    };
    let shown = ana.get(PAGE).expect(200);
    assert!(shown.body.contains("(vazio: R$\u{a0}400,00)"), "{}", shown.body);
    let a_part = fields(&shown, "100,00");
    assert_eq!(take(&mut bia, &a_part).leads_to(), PAGE);
    // Another one, or the same in a second tab, has the page of before.
    let refused = take(&mut ana, &a_part).expect(422);
    for words in [
        "Algo mudou desde que a página foi aberta",
        "agora R$\u{a0}914,00 da fatura 2026-000001 estão em aberto, e R$\u{a0}300,00 esperam",
        "value=\"100,00\"",
    ] {
        assert!(refused.body.contains(words), "{words}: {}", refused.body);
    }
    take(&mut ana, &fields(&shown, "")).expect(422);
    take(&mut ana, &[("amount", "1,00".to_owned())]).expect(422);
    assert_eq!(to_pay(&reseller, "2026-000001"), "914.00");
    let both = [ana.clone(), bia.clone()].map(|mut browser| {
        let fields = fields(&refused, "100,00");
        let path = path.clone();
        std::thread::spawn(move || {
            let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
            browser.post(&path, &fields).status
        })
    });
    let mut both = both.map(|thread| thread.join().unwrap());
    both.sort_unstable();
    assert_eq!(both, [303, 422]);
    assert_eq!(to_pay(&reseller, "2026-000001"), "814.00");

    // A payment of all that is open is of what was shown, too.
    let stale = ana.get(PAGE).expect(200);
    assert_eq!(take(&mut bia, &fields(&stale, "")).leads_to(), PAGE);
    assert_eq!(to_pay(&reseller, "2026-000001"), "614.00");
    let open = asked(&stale, "open");
    let all = [("on", "2026-11-10"), ("amount", ""), ("open", open.as_str())];
    let refused = pay(&mut ana, &all).expect(422).body;
    for words in ["R$\u{a0}814,00 é mais que os R$\u{a0}614,00 em aberto", "value=\"814,00\""] {
        assert!(refused.contains(words), "{words}: {refused}");
    }
    assert_eq!(to_pay(&reseller, "2026-000001"), "614.00");
    let refused = take(&mut ana, &fields(&stale, "")).expect(422).body;
    assert!(refused.contains("não tem dinheiro à espera"), "{refused}");
    reseller.run(&["verify", "--month", "2026-10"]).expect(0);
}

/// Dealerships with these ids, October counted and held.
fn held(ledger: LedgerKind, ids: &[&str]) -> Reseller {
    let mut reseller = Reseller::new(ledger);
    let config = std::fs::read_to_string(reseller.path("fecha.toml")).unwrap();
    let manual = config.replacen("[email]", "[close]\napproval = \"manual\"\n[email]", 1);
    reseller.write("fecha.toml", &manual);
    let mut people = DEALERSHIP_HEADER.to_owned();
    let mut contracts = "dealership_id,from_month,package\n".to_owned();
    for id in ids {
        people += &dealership(id, "").replace(&format!("{id}@example.com"), "loja@example.com");
        contracts += &format!("{id},2026-01,5000\n");
    }
    reseller.write("dealerships.csv", &people);
    reseller.write("contracts.csv", &contracts);
    let files = ["import", "--dealerships", "dealerships.csv", "--contracts", "contracts.csv"];
    reseller.run(&[&files[..], &["--accept-twins"]].concat()).expect(0);
    reseller.run(&["close", "--month", "2026-10"]).expect(1);
    reseller.at("2026-11-14 12:00:00");
    reseller
}

/// The addresses of a page that begin so, as a browser asks for them: without what it takes for a folder above.
fn addresses(answer: &Answer, begin: &str) -> Vec<String> {
    let links = answer.body.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let whole = |link: &&str| !link.split('/').any(|part| matches!(part, "." | ".."));
    links.filter(|link| link.starts_with(begin)).filter(whole).map(str::to_owned).collect()
}

#[rstest]
fn every_dealership_has_an_account_and_a_pro_forma(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let ids = [".", "..", "~x", "import", "são/1?"];
    let reseller = held(ledger, &ids);
    let mut shift = Shift::new(&reseller, NOON);
    let daemon = shift.start();
    let mut ana = finance(&reseller, &daemon);
    let mut seen = addresses(&ana.get("/months/2026-10").expect(200), "/months/2026-10/pro-forma/");
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), ids.len(), "{seen:?}");
    for path in &seen {
        let shown = ana.get(path).expect(200);
        let pdf = addresses(&shown, path).remove(0);
        assert!(ana.download(&pdf).1.starts_with(b"%PDF"), "{pdf}");
    }
    reseller.run(&["close", "--month", "2026-10", "--release"]).expect(0);
    let seen = addresses(&ana.get("/receivables").expect(200), "/receivables/of/");
    assert_eq!(seen.len(), ids.len(), "{seen:?}");
    for path in &seen {
        let shown = ana.get(path).expect(200).body;
        assert!(shown.contains(&format!("action=\"{path}/pay?once=")), "{path}: {shown}");
        let fields = [("on", "2026-11-10"), ("amount", "1,00")];
        assert_eq!(ana.post(&format!("{path}/pay"), &fields).leads_to(), path.as_str());
    }
    let paid = reseller.ledger_number("SELECT COUNT(DISTINCT dealership_id) FROM payment");
    assert_eq!(paid, 5);
}

#[rstest]
fn a_long_file_of_the_bank_is_confirmed_page_by_page(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let ids: Vec<String> = (1..=60).map(|index| format!("d{index:02}")).collect();
    let reseller = held(ledger, &ids.iter().map(String::as_str).collect::<Vec<_>>());
    reseller.run(&["close", "--month", "2026-10", "--release"]).expect(0);
    let mut shift = Shift::new(&reseller, NOON);
    let daemon = shift.start();
    let mut ana = finance(&reseller, &daemon);
    // Sixty lines that are certain, then ten that nobody knows.
    let words: Vec<String> = (1..=60).map(|n| format!("PIX FATURA 2026-{n:06}")).collect();
    let names: Vec<String> = (0..70).map(|n| format!("A{n}")).collect();
    let line = |n: usize| match words.get(n) {
        Some(words) => ("1014.00", names[n].as_str(), words.as_str()),
        None => ("33.33", names[n].as_str(), "DEPOSITO"),
    };
    let file = ofx(&(0..70).map(line).collect::<Vec<_>>());
    let page = ana.upload("/receivables/import", "longo.ofx", &file).leads_to().to_owned();
    let count = |answer: &Answer, what: &str| answer.body.matches(what).count();
    let boxes = "<input type=\"checkbox\" name=\"leave-";
    let fields = "<input aria-label=\"Fatura de";
    let first = ana.get(&page).expect(200);
    assert_eq!((count(&first, fields), count(&first, boxes)), (10, 40));
    assert!(first.body.contains("as 60 certas e as escolhidas"), "{}", first.body);
    // To the next page, with what was chosen on this one: as its button sends the form.
    let seen = hash(&first);
    let chosen = format!("hash={seen}&line-60=2026-000060&line-61=&leave-3=yes");
    let next = asked(&first, "after");
    let second = ana.get(&format!("{page}?{chosen}&after={next}")).expect(200);
    assert_eq!((count(&second, fields), count(&second, boxes)), (0, 20));
    for words in [
        "name=\"line-60\" value=\"2026-000060\"",
        "name=\"leave-3\" value=\"yes\"",
        "as 2 escolhas feitas em outras páginas",
    ] {
        assert!(second.body.contains(words), "{words}: {}", second.body);
    }
    // One is paid meanwhile: each page says so, and nothing of what was seen is recorded.
    let paid = ["pay", "2026-000050", "--on", "2026-11-10"];
    reseller.run(&paid).expect(0);
    let changed = ana.get(&format!("{page}?{chosen}&after={next}")).expect(200);
    assert!(changed.body.contains("Algo mudou"), "{}", changed.body);
    let send = |hash: &str| {
        let chosen = [("line-60", "2026-000060"), ("leave-3", "yes"), ("leave-59", "yes")];
        let fields = [&chosen[..], &[("hash", hash)]].concat();
        ana.clone().post(&format!("{page}?after={next}"), &fields)
    };
    let refused = send(&seen).expect(422);
    assert!(refused.body.contains("name=\"leave-59\" value=\"yes\" checked"), "the same page");
    assert_eq!(payments(&reseller), 1);
    assert_eq!(send(&hash(&refused)).leads_to(), page);
    // All that is certain but two, of every page, the one that was chosen, and the one by hand.
    assert_eq!(payments(&reseller), 57 + 1 + 1);
    assert_eq!(to_pay(&reseller, "2026-000001"), "0.00");
    assert_eq!(to_pay(&reseller, "2026-000004"), "1014.00");
    assert_eq!(to_pay(&reseller, "2026-000060"), "980.67");
    let left = ana.get(&page).expect(200);
    assert_eq!((count(&left, fields), count(&left, boxes)), (9, 2));
    assert!(left.body.contains("59 já registradas"), "{}", left.body);
}

#[rstest]
fn a_line_without_an_amount_pays_what_was_shown(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = closed(ledger);
    let mut shift = Shift::new(&reseller, NOON);
    let daemon = shift.start();
    let mut ana = finance(&reseller, &daemon);
    let file = "number,on,amount\n2026-000001,2026-11-10,\n";
    let page = ana.upload("/receivables/import", "pagas.csv", file).leads_to().to_owned();
    let shown = ana.get(&page).expect(200);
    assert!(shown.body.contains("R$\u{a0}1.014,00 <span class=\"soft small\">tudo o que está"));
    assert_eq!(pay(&mut ana, &[("on", "2026-11-11"), ("amount", "14,00")]).leads_to(), PAGE);
    let changed = ana.post(&page, &[("hash", &hash(&shown))]).expect(422);
    assert!(changed.body.contains("Algo mudou"), "{}", changed.body);
    assert_eq!(to_pay(&reseller, "2026-000001"), "1000.00");
    assert_eq!(ana.post(&page, &[("hash", &hash(&changed))]).leads_to(), page);
    assert_eq!(to_pay(&reseller, "2026-000001"), "0.00");
}
