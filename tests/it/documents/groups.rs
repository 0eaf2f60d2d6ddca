//! The page of a group: what it says, its code, and what it is with many dealerships.

use super::{renderer, show};
use crate::support::pdf::Pdf;
use crate::support::samples::{group_bill, group_bill_of_the_worst};
use fecha_core::bill::group_bill::GroupBill;

fn page(bill: &GroupBill) -> Pdf {
    let pdf = Pdf::new(renderer().group_bill(bill).unwrap());
    pdf.assert_sound();
    pdf
}

#[test]
fn adds_up_and_asks_for_all_of_it() {
    let bill = group_bill(3);
    let pdf = page(&bill);
    show("grupo.pdf", &pdf);
    assert_eq!(pdf.info("Pages"), "1");
    assert_eq!(pdf.qr_code(), bill.pix.clone().unwrap());
    assert_eq!(pdf.bytes, renderer().group_bill(&bill).unwrap(), "the same bytes each time");
    insta::assert_snapshot!(pdf.text());
}

#[test]
fn what_is_paid_asks_for_nothing() {
    let pdf = page(&group_bill_of_the_worst());
    show("grupo-pago.pdf", &pdf);
    insta::assert_snapshot!(pdf.text());
}

/// Sixty dealerships: the head of the table on each page, each invoice once, one code.
#[test]
fn many_go_over_pages() {
    let bill = group_bill(60);
    let pdf = page(&bill);
    show("grupo-grande.pdf", &pdf);
    let text = pdf.text();
    let pages: usize = pdf.info("Pages").parse().unwrap();
    assert!((3..=5).contains(&pages), "{pages}");
    // The last page may have nothing of the table any more.
    assert!(text.matches("Concessionária").count() >= pages - 1, "{text}");
    for row in &bill.rows {
        assert_eq!(text.matches(&row.label()).count(), 1, "{}", row.label());
    }
    assert_eq!(text.matches("Pague com Pix").count(), 1);
    assert!(text.contains("71.343,93"), "{text}");
}
