//! Months at the edge of what there is.

use fecha_core::bill::bill::Use;
use fecha_core::bill::invoice::{Invoice, Replacement};
use fecha_core::price::item::{Item, Line};
use fecha_core::price::money::Money;
use rstest::rstest;

use super::{adjustment, invoice_pdf, no_use, show, statement_pdf};
use crate::support::sample;

/// The largest package, well exceeded, in 40 templates, with everything long that can be.
pub fn huge() -> Invoice {
    let mut invoice = sample::invoice();
    let templates =
        (1..=40_u64).map(|n| (format!("campanha_{n:02}_ofertas_imperdiveis_do_mes"), n * n * 97));
    invoice.usage.hsm_by_template = templates.collect();
    invoice.usage.hsm = invoice.usage.hsm_by_template.values().sum();
    invoice.usage.uam = 60_000;
    invoice.usage.received = 1_234_567;
    invoice.usage.sent = 7_654_321;
    invoice.usage.started_by_dealership = 58_123;
    for (_, count) in &mut invoice.usage.new_contacts_by_day {
        *count = *count * 60_000 / 5123;
    }
    invoice.package = 50_000;
    let mut lines = sample::prices().lines(Use::plain(50_000, 60_000, invoice.usage.hsm)).unwrap();
    let so_far: Money = lines.iter().map(|line| line.amount).sum();
    let target: Money = "1234567.89".parse().unwrap();
    let rest = Line {
        item: Item::Adjustment {
            description: "Campanhas fora da plataforma, conforme proposta 2026/118".to_owned(),
        },
        quantity: 1,
        unit_price: (target - so_far).reais(),
        amount: target - so_far,
    };
    lines.push(rest);
    invoice.lines = lines;
    "Distribuidora de Veículos Araçatuba S/A.".clone_into(&mut invoice.dealership.name);
    "Concessionária Três Irmãos do Oeste Auto".clone_into(&mut invoice.dealership.trade_name);
    "Rodovia Governador Doutor Adhemar Pereira de Barros (SP-340), km 118,5, Galpão 7, Sala 1204, Distrito Industrial Norte".clone_into(&mut invoice.dealership.address);
    "Vila Bela da Santíssima Trindade".clone_into(&mut invoice.dealership.city);
    "Soluções Integradas de Mensageria S.A. X".clone_into(&mut invoice.issuer.name);
    invoice.history.last_mut().unwrap().package = 25_000;
    invoice.pix = sample::pix(&invoice);
    invoice
}

/// A month that a credit from the month before more than pays for.
pub fn credited() -> Invoice {
    let mut invoice = no_use();
    invoice.lines.push(adjustment("Crédito restante da fatura 2026-000001", "-1500.00"));
    invoice.pix = None;
    invoice
}

/// The package was changed this month, and the invoice revised with a part of it paid.
pub fn revised() -> Invoice {
    let mut invoice = sample::invoice();
    invoice.package = 10_000;
    invoice.lines = sample::prices().lines(Use::plain(10_000, 5123, 310)).unwrap();
    invoice.revision = 2;
    invoice.replaces = Some(Replacement {
        revision: 1,
        total: "1192.27".parse().unwrap(),
        reason: "Contrato novo a partir de outubro, assinado em 28/09 e recebido com atraso"
            .to_owned(),
        by: "Maria Aparecida de Souza".to_owned(),
        paid: "1192.27".parse().unwrap(),
    });
    invoice.pix = sample::pix(&invoice);
    invoice
}

#[rstest]
#[case::huge("enorme", huge())]
#[case::no_use("sem-uso", no_use())]
#[case::credited("credito", credited())]
#[case::revised("revisao", revised())]
fn extreme_months_stay_on_the_page(#[case] name: &str, #[case] invoice: Invoice) {
    for (kind, pdf) in [("fatura", invoice_pdf(&invoice)), ("extrato", statement_pdf(&invoice))] {
        pdf.assert_sound();
        show(&format!("{kind}-{name}.pdf"), &pdf);
    }
}
