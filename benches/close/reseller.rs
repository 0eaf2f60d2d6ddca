//! A reseller with 1,500 dealerships, registered as `fecha import` does it.

use std::fmt::Write as _;
use std::path::Path;

use fecha::clock::Clock;
use fecha::ledger::audit;
use fecha::ledger::register::{Register, RegisterChange};
use fecha::setup::office::{NoLedger, Office};
use fecha::setup::register::{read_contracts, read_dealerships};

use super::generator::Traffic;

/// A day after October 2026 is over everywhere in Brazil.
const NOW: &str = "2026-11-02T03:00:00Z";

/// An office in `folder`, with a ledger on SQLite that has the register and nothing else.
pub async fn open(folder: &Path, messages: &str, smtp_port: u16) -> Office {
    let file = folder.join("fecha.toml");
    let config = CONFIG.replace("MESSAGES", messages).replace("SMTP_PORT", &smtp_port.to_string());
    std::fs::write(&file, config).expect("a file");
    let clock = Clock::Fixed(NOW.parse().expect("an instant"));
    let office = Office::open(Some(&file), NoLedger::MakeAnew, clock).await.expect("an office");
    register(&office).await;
    office
}

async fn register(office: &Office) {
    let mut people =
        "id,name,trade_name,cnpj,address,city,state,email,cc,timezone,due_day\n".to_owned();
    let mut packages = "dealership_id,from_month,package\n".to_owned();
    for (rank, id) in Traffic::dealerships().enumerate() {
        // One in ten has a second address.
        let cc = if rank % 10 == 0 { format!("diretoria.{id}@example.com") } else { String::new() };
        let package = [50_000, 25_000, 10_000, 5_000][[1, 3, 10].partition_point(|up| *up <= rank)];
        let _ = writeln!(
            people,
            "{id},Concessionária {id} de Veículos Ltda,Veículos {id},11.222.333/0001-81,\
             \"Avenida das Nações, {rank}\",São José dos Campos,SP,{id}@example.com,{cc},,"
        );
        let _ = writeln!(packages, "{id},2026-01,{package}");
    }
    let people = read_dealerships("dealerships.csv", people.as_bytes()).expect("good rows");
    let known = |_: &str| true;
    let prices = &office.config.prices;
    let packages = read_contracts("contracts.csv", packages.as_bytes(), &known, prices, &[])
        .expect("good rows");
    let entry = audit::Deed {
        at: office.clock.now(),
        actor: &office.actor,
        action: audit::Action::Import,
        month: None,
        dealership_id: None,
        detail: "the register of the benchmark",
    };
    let written = Register { dealerships: people, contracts: packages, numbers: Vec::new() };
    let change = RegisterChange { known: &Register::default(), written: &written, removed: &[] };
    office.ledger.import(change, &[entry]).await.expect("an import");
}

const CONFIG: &str = r#"
[issuer]
name = "Exemplo Tecnologia Ltda"
cnpj = "11.222.333/0001-81"
address = "Rua Exemplo, 100"
city = "Caxias do Sul"
state = "RS"
email = "financeiro@example.com"
phone = "+55 54 3000-0000"
timezone = "America/Sao_Paulo"
[issuer.pix]
key = "11222333000181"
[ledger]
url = "sqlite:fecha.db"
[messages]
url = "MESSAGES"
[[prices]]
from = "2020-08"
overage = "0.29"
hsm = "0.46"
packages = [
  { contacts = 5000, price = "1014.00" },
  { contacts = 10000, price = "1827.00" },
  { contacts = 25000, price = "3920.00" },
  { contacts = 50000, price = "7380.00" },
]
[email]
transport = "smtp"
from = "Faturamento <faturas@example.com>"
finance = ["financeiro@example.com"]
[email.smtp]
host = "localhost"
port = SMTP_PORT
tls = "none"
"#;
