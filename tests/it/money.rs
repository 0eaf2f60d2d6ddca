//! Finance in the browser: invoices, payments, the bank's file, emails that failed. Over plain HTTP, against the
//! real daemon.

use rstest::rstest;

use crate::support::browser::{Answer, Browser};
use crate::support::daemon::{Daemon, Shift, eventually};
use crate::support::reseller::{DEALERSHIP_HEADER, LedgerKind, Reseller};

pub const NOON: &str = "2026-11-14T12:00:00Z";

/// Three dealerships, October closed: each owes R$ 1.014,00, due on 10 November.
pub fn closed(ledger: LedgerKind) -> Reseller {
    let mut reseller = Reseller::new(ledger);
    let mut people = DEALERSHIP_HEADER.to_owned();
    let companies = [
        ("d1", "Comércio de Veículos São João Ltda", "Auto Açaí", "11.222.333/0001-81"),
        ("d2", "Horizonte Motores S.A.", "Horizonte", "33.000.167/0001-01"),
        ("d3", "Terceira Loja Ltda", "", "00.000.000/0001-91"),
    ];
    let mut contracts = "dealership_id,from_month,package\n".to_owned();
    for (id, name, sign, cnpj) in companies {
        people +=
            &format!("{id},{name},{sign},{cnpj},\"Rua Um, 1\",Curitiba,PR,{id}@example.com,,,\n");
        contracts += &format!("{id},2026-01,5000\n");
    }
    reseller.write("dealerships.csv", &people);
    reseller.write("contracts.csv", &contracts);
    let files = ["import", "--dealerships", "dealerships.csv", "--contracts", "contracts.csv"];
    reseller.run(&files).expect(0);
    reseller.run(&["close", "--release"]).expect(0);
    reseller.at("2026-11-14 12:00:00");
    reseller
}

pub fn finance(reseller: &Reseller, daemon: &Daemon) -> Browser {
    Browser::signed_in(reseller, daemon, "ana@example.com", "finance")
}

/// The rows of a list, by the number that each begins with.
fn numbers(answer: &Answer) -> Vec<String> {
    let rows = answer.body.split("<th scope=\"row\"><a href=\"/invoices/").skip(1);
    rows.map(|row| row.split('"').next().unwrap().to_owned()).collect()
}

fn next(answer: &Answer) -> Option<String> {
    let before =
        answer.body.split("\" rel=\"next\"").next().filter(|b| b.len() < answer.body.len())?;
    Some(before.rsplit("href=\"").next()?.replace("&amp;", "&"))
}

pub fn to_pay(reseller: &Reseller, number: &str) -> String {
    let invoices = reseller.invoices(&[]);
    let invoice = invoices.iter().find(|invoice| invoice["number"] == number).unwrap();
    invoice["to_pay"].as_str().unwrap().to_owned()
}

#[rstest]
fn a_list_stays_as_it_is_while_others_are_issued(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = Reseller::new(ledger);
    let ids: Vec<String> = (0..60).map(|index| format!("d{index:02}")).collect();
    let register: Vec<(&str, &str, &str)> =
        ids.iter().map(|id| (id.as_str(), "", "5000")).collect();
    reseller.at("2026-10-01 12:00:00").register(&register);
    reseller.run(&["close", "--month", "2026-09", "--release"]).expect(0);
    let mut shift = Shift::new(&reseller, "2026-10-02T12:00:00Z");
    let daemon = shift.start();
    let mut ana = Browser::signed_in(&reseller, &daemon, "ana@example.com", "viewer");
    let first = ana.get("/invoices").expect(200);
    assert!(first.body.len() < 20_000, "{} bytes", first.body.len());
    let mut seen = numbers(&first);
    assert_eq!((seen.len(), seen[0].as_str()), (50, "2026-000060"));
    // One that is on the first page is void and issued again under a new number.
    reseller.run(&["cancel", "2026-000055", "--reason", "dobrada"]).expect(0);
    reseller.run(&["close", "--month", "2026-09", "--dealership", "d54", "--release"]).expect(0);
    let second = ana.get(&next(&first).unwrap()).expect(200);
    seen.extend(numbers(&second));
    let all: Vec<String> = (1..=60).rev().map(|number| format!("2026-{number:06}")).collect();
    assert_eq!(seen, all);
    assert_eq!(next(&second), None);
    assert_eq!(numbers(&ana.get("/invoices?state=void")), ["2026-000055"]);
    assert_eq!(numbers(&ana.get("/invoices?state=open&q=d54")), ["2026-000061"]);
    let ends = numbers(&ana.get("/invoices?month=2026-09&state=open&after=2026-000003"));
    assert_eq!(ends, ["2026-000002", "2026-000001"]);
    assert!(numbers(&ana.get("/invoices?month=2026-08")).is_empty());
}

#[rstest]
fn invoices_are_found_by_number_name_and_cnpj(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = closed(ledger);
    let mut shift = Shift::new(&reseller, NOON);
    let daemon = shift.start();
    let mut ana = Browser::signed_in(&reseller, &daemon, "ana@example.com", "viewer");
    for (typed, found) in [
        ("2026-000002", &["2026-000002"][..]),
        ("2026000002", &["2026-000002"]),
        ("2", &["2026-000002"]),
        ("sao+joao", &["2026-000001"]),
        ("ACAI", &["2026-000001"]),
        ("33000167000101", &["2026-000002"]),
        ("33.000.167%2F0001-01", &["2026-000002"]),
        ("ltda", &["2026-000003", "2026-000001"]),
        ("nada+disto", &[]),
        ("%25", &[]),
    ] {
        let answer = ana.get(&format!("/invoices?q={typed}")).expect(200);
        // `2` is the number of one and in the id of the same.
        assert_eq!(numbers(&answer), found, "{typed}");
    }
}

#[rstest]
fn a_payment_is_recorded_once_shown_and_taken_back(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = closed(ledger);
    let mut shift = Shift::new(&reseller, NOON);
    let daemon = shift.start();
    let mut ana = finance(&reseller, &daemon);
    let page = "/invoices/2026-000001";
    let pay = format!("{page}/pay?once=k1");
    let fields = [("on", "10/11/2026"), ("amount", "514,00"), ("kind", "money"), ("reference", "")];
    assert_eq!(ana.post(&pay, &fields).leads_to(), page);
    assert_eq!(ana.post(&pay, &fields).leads_to(), page, "a button that was pressed twice");
    assert_eq!(to_pay(&reseller, "2026-000001"), "500.00");
    let shown = ana.get(page).expect(200).body;
    for words in
        ["Pagamento: R$\u{a0}514,00 em 10/11/2026", "Vencida, paga em parte", "ana@example.com"]
    {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert_eq!(numbers(&ana.get("/invoices?state=part_paid")), ["2026-000001"]);

    // The same once more, as a form of its own, is asked about; what was typed stays.
    let again = ana.post(&format!("{page}/pay?once=k2"), &fields).expect(422).body;
    assert!(again.contains("já está registrado") && again.contains("value=\"514,00\""), "{again}");
    for (on, amount, said) in [
        ("31/02/2026", "1,00", "não é um dia"),
        ("", "1,00", "Informe o dia"),
        ("2026-11-15", "1,00", "ainda não chegou"),
        ("2026-11-10", "7.380", "não é um valor em reais"),
        ("2026-11-10", "-1,00", "menor que zero"),
    ] {
        let fields = [("on", on), ("amount", amount), ("kind", "money")];
        let refused = ana.post(&format!("{page}/pay?once=k3"), &fields).expect(422).body;
        assert!(refused.contains(said), "{said}: {refused}");
    }
    assert_eq!(to_pay(&reseller, "2026-000001"), "500.00");

    let payment = reseller.ledger_texts("SELECT id FROM payment")[0].clone();
    let undo = format!("{page}/undo");
    let none = ana.post(&undo, &[("payment", &payment), ("reason", " ")]).expect(422).body;
    assert!(none.contains("Escreva o motivo"), "{none}");
    assert_eq!(
        ana.post(&undo, &[("payment", &payment), ("reason", "fatura errada")]).leads_to(),
        page
    );
    assert_eq!(to_pay(&reseller, "2026-000001"), "1014.00");
    let shown = ana.get(page).expect(200).body;
    assert!(shown.contains("desfeito por ana@example.com: fatura errada"), "{shown}");
    let twice = ana.post(&undo, &[("payment", &payment), ("reason", "x")]).expect(422).body;
    assert!(twice.contains("já foi desfeito"), "{twice}");
    let audit = reseller.run(&["audit", "--json"]).expect(0).stdout;
    assert!(audit.contains("\"actor\":\"ana@example.com\""), "{audit}");
    reseller.run(&["verify", "--month", "2026-10"]).expect(0);
}

#[rstest]
fn money_waits_settles_and_is_paid_back(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = closed(ledger);
    let mut shift = Shift::new(&reseller, NOON);
    let daemon = shift.start();
    let mut ana = finance(&reseller, &daemon);
    let account = "/receivables/of/d2";
    let fields = [("on", "2026-11-10"), ("amount", "1.500,00")];
    assert_eq!(ana.post(&format!("{account}/pay"), &fields).leads_to(), account);
    let list = ana.get("/receivables").expect(200).body;
    assert!(list.contains("R$\u{a0}3.042,00") && list.contains("R$\u{a0}1.500,00"), "{list}");
    // As much waits as is open: nobody is asked for it.
    let refused = ana.post(&format!("{account}/remind"), &[]).expect(422).body;
    assert!(refused.contains("espera tanto dinheiro"), "{refused}");
    let fields = [("amount", ""), ("open", "1014.00"), ("waiting", "1500.00")];
    let taken = ana.post("/invoices/2026-000002/from-account", &fields);
    assert_eq!(taken.leads_to(), "/invoices/2026-000002");
    assert_eq!(to_pay(&reseller, "2026-000002"), "0.00");
    let shown = ana.get("/invoices/2026-000002").expect(200).body;
    assert!(shown.contains("R$\u{a0}1.014,00 da conta usados para quitar"), "{shown}");
    let refund =
        |amount: &'static str| [("on", "2026-11-12"), ("amount", amount), ("reason", "a mais")];
    let refused = ana.post(&format!("{account}/refund"), &refund("486,01")).expect(422).body;
    assert!(refused.contains("mais que os R$\u{a0}486,00 que esperam"), "{refused}");
    assert_eq!(ana.post(&format!("{account}/refund"), &refund("486,00")).leads_to(), account);
    let all = reseller.run(&["receivables", "--json"]).expect(0).json();
    assert_eq!((all["open"].as_str(), all["waiting"].as_str()), (Some("2028.00"), Some("0.00")));
    reseller.run(&["verify", "--month", "2026-10"]).expect(0);

    // A reminder, once a day, whoever asks.
    let d1 = "/receivables/of/d1";
    assert_eq!(ana.post(&format!("{d1}/remind?once=r1"), &[]).leads_to(), d1);
    let again = ana.post(&format!("{d1}/remind?once=r2"), &[]).expect(422).body;
    assert!(again.contains("já foi enviado hoje"), "{again}");
    assert_eq!(reseller.emails("reminder"), 1);
    eventually("the reminder is sent", || {
        reseller
            .outbox()
            .iter()
            .any(|email| email["kind"] == "reminder" && email["state"] == "sent")
    });
}

#[rstest]
fn an_invoice_is_cancelled_by_an_admin_who_types_its_number(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = closed(ledger);
    let mut shift = Shift::new(&reseller, NOON);
    let daemon = shift.start();
    let mut ana = finance(&reseller, &daemon);
    let page = "/invoices/2026-000003";
    let fields = |number: &'static str| [("number", number), ("reason", "pedido dobrado")];
    ana.post(&format!("{page}/cancel"), &fields("2026-000003")).expect(403);
    let mut rui = Browser::signed_in(&reseller, &daemon, "rui@example.com", "admin");
    let refused = rui.post(&format!("{page}/cancel"), &fields("2026-000002")).expect(422).body;
    assert!(refused.contains("digite o número da fatura: 2026-000003"), "{refused}");
    assert_eq!(reseller.invoices(&[])[2]["state"], "issued");
    assert_eq!(rui.post(&format!("{page}/cancel"), &fields("2026-000003")).leads_to(), page);
    assert_eq!(reseller.invoices(&[])[2]["state"], "cancelled");
    let shown = rui.get(page).expect(200).body;
    assert!(shown.contains("Por rui@example.com: pedido dobrado"), "{shown}");
    let twice = rui.post(&format!("{page}/cancel"), &fields("2026-000003")).expect(422).body;
    assert!(twice.contains("já está cancelada"), "{twice}");
    rui.get("/invoices/2026-000099").expect(404);
    rui.get("/invoices/x").expect(404);
}

#[rstest]
fn every_file_is_downloaded_as_it_was_issued(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = closed(ledger);
    let credit = ["adjust", "--dealership", "d1", "--month", "2026-10", "--amount", "-14.00"];
    reseller.run(&[&credit[..], &["--description", "Cortesia"]].concat()).expect(0);
    let rerun = ["rerun", "--month", "2026-10", "--dealership", "d1", "--reason", "cortesia"];
    reseller.run(&rerun).expect(0);
    reseller.run(&["cancel", "2026-000002", "--reason", "dobrada"]).expect(0);
    let mut shift = Shift::new(&reseller, NOON);
    let daemon = shift.start();
    let mut ana = Browser::signed_in(&reseller, &daemon, "ana@example.com", "viewer");
    for (number, revision, option, name, kind) in [
        ("2026-000001", "0", "--pdf", "fatura-2026-000001.pdf", "application/pdf"),
        ("2026-000001", "1", "--pdf", "fatura-2026-000001-R1.pdf", "application/pdf"),
        ("2026-000001", "1", "--statement", "extrato-2026-000001-R1.pdf", "application/pdf"),
        (
            "2026-000001",
            "0",
            "--evidence",
            "comprovacao-2026-000001.csv",
            "text/csv; charset=utf-8",
        ),
        ("2026-000002", "0", "--cancellation", "cancelamento-2026-000002.pdf", "application/pdf"),
    ] {
        let file = format!("as-issued{}", &name[name.len() - 4..]);
        let show = ["invoice", number, "--revision", revision, option, &file, "--force"];
        reseller.run(&show).expect(0);
        let issued = std::fs::read(reseller.path(&file)).unwrap();
        let (answer, bytes) = ana.download(&format!("/invoices/{number}/files/{name}"));
        assert_eq!((answer.status, answer.header("content-type")), (200, kind), "{name}");
        let disposition = format!("attachment; filename=\"{name}\"");
        assert_eq!(answer.header("content-disposition"), disposition);
        assert!(bytes == issued, "{name} is another file");
    }
    for missing in
        ["cancelamento-2026-000001.pdf", "fatura-2026-000001-R2.pdf", "..%2Ffecha.toml", "x"]
    {
        ana.get(&format!("/invoices/2026-000001/files/{missing}")).expect(404);
    }
    // What the revision changed is told.
    let shown = ana.get("/invoices/2026-000001").expect(200).body;
    for words in
        ["Revisão 2026-000001-R1", "R$\u{a0}1.014,00 → R$\u{a0}1.000,00", "Cortesia", "cortesia"]
    {
        assert!(shown.contains(words), "{words}: {shown}");
    }
}

pub fn ofx(transactions: &[(&str, &str, &str)]) -> String {
    let mut text = String::from(
        "OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nSECURITY:NONE\nENCODING:UTF-8\nCHARSET:NONE\n\
         COMPRESSION:NONE\nOLDFILEUID:NONE\nNEWFILEUID:NONE\n\n<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS>\
         <CURDEF>BRL<BANKACCTFROM><BANKID>0341<ACCTID>12345-6<ACCTTYPE>CHECKING</BANKACCTFROM>\
         <BANKTRANLIST>\n",
    );
    for (amount, id, words) in transactions {
        text += &format!(
            "<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20261110120000[-3:BRT]<TRNAMT>{amount}<FITID>{id}\
             <MEMO>{words}</STMTTRN>\n"
        );
    }
    text + "</BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>\n"
}

/// What the form of the page binds to.
pub fn hash(answer: &Answer) -> String {
    let after = answer.body.split("name=\"hash\" value=\"").nth(1).unwrap_or_default();
    after.split('"').next().unwrap().to_owned()
}

#[rstest]
fn the_banks_file_is_shown_line_by_line_and_recorded_once(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = closed(ledger);
    let mut shift = Shift::new(&reseller, NOON);
    let daemon = shift.start();
    let mut ana = finance(&reseller, &daemon);
    for (name, text, said) in [
        ("a.pdf", "%PDF-1.7", "é um PDF"),
        ("vazio.ofx", "", "está vazio"),
        ("x.csv", "number,on,amount\n2026-000001,ontem,1\n", "x.csv, linha 2"),
    ] {
        let refused = ana.upload("/receivables/import", name, text).expect(422).body;
        assert!(refused.contains(said), "{said}: {refused}");
    }
    let file = ofx(&[
        ("1014.00", "A1", "PIX FATURA 2026-000001"),
        ("1014.00", "A2", "TED CNPJ 33.000.167/0001-01"),
        ("33.33", "A3", "DEPOSITO EM DINHEIRO"),
    ]);
    let sent = ana.upload("/receivables/import", "extrato.ofx", &file);
    let page = sent.leads_to().to_owned();
    let shown = ana.get(&page).expect(200);
    for words in [
        "extrato.ofx, linha 12",
        "o banco informa o número",
        "única fatura em aberto deste CNPJ com este valor",
        "Nenhuma fatura em aberto tem este número, pagador ou valor",
        "as 2 certas e as escolhidas",
    ] {
        assert!(shown.body.contains(words), "{words}: {}", shown.body);
    }
    assert_eq!(reseller.ledger_number("SELECT COUNT(*) FROM payment"), 0, "it was only to be seen");

    // Somebody pays one by hand before it is confirmed: what was seen is not so any more.
    let seen = hash(&shown);
    reseller.run(&["pay", "2026-000001", "--on", "2026-11-10"]).expect(0);
    let fields = [("hash", seen.as_str()), ("line-2", "2026-000003")];
    let changed = ana.post(&page, &fields).expect(422);
    assert!(changed.body.contains("Algo mudou"), "{}", changed.body);
    assert_eq!(reseller.ledger_number("SELECT COUNT(*) FROM payment"), 1);

    let wrong = [("hash", hash(&changed)), ("line-2", "2026-3".to_owned())];
    let wrong = wrong.each_ref().map(|(name, value)| (*name, value.as_str()));
    let refused = ana.post(&page, &wrong).expect(422);
    assert!(refused.body.contains("não é um número de fatura"), "{}", refused.body);
    assert!(refused.body.contains("value=\"2026-3\""), "what was typed stays");
    let right = [("hash", hash(&refused)), ("line-2", "2026-000003".to_owned())];
    let right = right.each_ref().map(|(name, value)| (*name, value.as_str()));
    assert_eq!(ana.post(&page, &right).leads_to(), page);
    let open =
        ["2026-000001", "2026-000002", "2026-000003"].map(|number| to_pay(&reseller, number));
    assert_eq!(open, ["0.00", "0.00", "980.67"]);
    assert_eq!(reseller.ledger_number("SELECT COUNT(*) FROM payment"), 3);

    // The same file again: nothing is recorded twice.
    let sent = ana.upload("/receivables/import", "extrato.ofx", &file);
    let page = sent.leads_to().to_owned();
    let shown = ana.get(&page).expect(200);
    assert!(shown.body.contains("3 já registradas"), "{}", shown.body);
    let answer = ana.post(&page, &[("hash", &hash(&shown))]);
    assert!(matches!(answer.status, 303 | 422), "{answer:?}");
    assert_eq!(reseller.ledger_number("SELECT COUNT(*) FROM payment"), 3);
    reseller.run(&["verify", "--month", "2026-10"]).expect(0);
}

#[rstest]
fn an_email_that_failed_goes_to_another_address(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = closed(ledger);
    reseller.run(&["deliver"]).expect(0);
    reseller.ledger_sql(
        "UPDATE outbox SET state = 'failed', sent_at = NULL, last_error = 'mx: RCPT TO: 550 5.1.1 <d1@example.com>'
         WHERE kind = 'invoice' AND recipient IN ('d1@example.com', 'd2@example.com')",
    );
    let mut shift = Shift::new(&reseller, NOON);
    let daemon = shift.start();
    let mut ana = finance(&reseller, &daemon);
    let list = ana.get("/emails").expect(200).body;
    assert!(list.contains("O endereço não existe no servidor do destinatário"), "{list}");
    assert!(list.contains("&lt;d1@example.com&gt;") && !list.contains("d3@example.com"), "{list}");
    let id = |state: &str, to: &str| {
        let sql = format!(
            "SELECT id FROM outbox WHERE kind = 'invoice' AND state = '{state}' AND recipient = '{to}'"
        );
        reseller.ledger_texts(&sql)
    };
    let failed = id("failed", "d1@example.com").remove(0);
    let again = format!("/emails/{failed}/again");
    let refused = ana.post(&again, &[("to", "loja")]).expect(422).body;
    assert!(refused.contains("“loja” não é um endereço") && refused.contains("value=\"loja\""));
    assert_eq!(ana.post(&again, &[("to", "nova@example.com")]).leads_to(), "/emails");
    eventually("it is sent to the new address", || id("sent", "nova@example.com").len() == 1);
    assert_eq!(id("withdrawn", "d1@example.com"), [failed.as_str()]);
    assert_eq!(id("failed", "d2@example.com").len(), 1, "another one stays as it is");
    let twice = ana.post(&again, &[("to", "nova@example.com")]).expect(422).body;
    assert!(twice.contains("já não está entre os que falharam"), "{twice}");
    // The rest of them, to where they were to go.
    assert_eq!(ana.post("/emails/again", &[]).leads_to(), "/emails");
    eventually("the rest is sent", || id("sent", "d2@example.com").len() == 1);
    let shown = ana.get("/invoices/2026-000001").expect(200).body;
    assert!(shown.contains("E-mail para nova@example.com: enviado"), "{shown}");
}
