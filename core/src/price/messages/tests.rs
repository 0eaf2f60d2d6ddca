//! The worked example of the documentation, steps at their edges, and that nothing is lost on the way.

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::count::sending::Sent;
use crate::price::item::Amounts;
use crate::price::monthly::{MonthlyPrice, Per};
use crate::price::table::PriceTable;
use crate::price::table::tests::table;

const NUMBERS: [&str; 2] = ["5548999990820", "5548999990821"];

fn numbers() -> Vec<BusinessNumber> {
    NUMBERS.map(|number| number.parse().unwrap()).into()
}

fn category(name: &str) -> Category {
    name.parse().unwrap()
}

fn steps(steps: &[(u64, &str)], rest: &str) -> Steps {
    let step = |up_to, price: &str| Step { up_to, price: price.parse().unwrap() };
    let mut all: Vec<Step> = steps.iter().map(|(up_to, price)| step(Some(*up_to), price)).collect();
    all.push(step(None, rest));
    all.try_into().unwrap()
}

fn entry(line: &str, kind: Kind, categories: &[&str], steps: Steps, free: Free) -> MessagePrice {
    let categories = categories.iter().map(|name| category(name)).collect();
    MessagePrice { line: line.to_owned(), kind, categories, steps, free }
}

/// Marketing, utility in two steps, service with 1,000 free a number, and a licence a number.
fn by_category() -> PriceTable {
    let one = |price: &str| Steps::one(price.parse().unwrap());
    PriceTable {
        messages: vec![
            entry("Marketing", Kind::Hsm, &["marketing"], one("0.52"), Free::None),
            entry(
                "Utilidade",
                Kind::Hsm,
                &["utility"],
                steps(&[(10_000, "0.12")], "0.10"),
                Free::None,
            ),
            entry("Serviço", Kind::Session, &[], one("0.06"), Free::Number(1000)),
        ],
        monthly: vec![MonthlyPrice {
            line: "Licença".to_owned(),
            price: "199.00".parse().unwrap(),
            per: Per::Number,
        }],
        ..table()
    }
}

fn sending(kind: Kind, name: &str, number: Option<usize>, billing: Billing) -> Sending {
    Sending {
        kind,
        category: Category::of(name.as_bytes()),
        number: number.map(|index| NUMBERS[index].parse().unwrap()),
        billing,
    }
}

/// 310 marketing, 1,840 utility, and service messages of two numbers.
fn sent(service: [u64; 2]) -> Sent {
    use Billing::Billed;
    [
        (sending(Kind::Hsm, "marketing", Some(0), Billed), 310),
        (sending(Kind::Hsm, "utility", Some(1), Billed), 1840),
        (sending(Kind::Session, "service", Some(0), Billed), service[0]),
        (sending(Kind::Session, "service", Some(1), Billed), service[1]),
    ]
    .into_iter()
    .collect()
}

fn lines(table: &PriceTable, sent: &Sent) -> Vec<String> {
    let numbers = numbers();
    let hsm = sent.of_kind(Kind::Hsm);
    let used = Use { package: 5000, uam: 5123, hsm, sent, numbers: &numbers };
    let line = |line: &Line| {
        let name = match &line.item {
            Item::Messages { line, share, .. } => share.in_portuguese(line),
            Item::Monthly { line, .. } => line.clone(),
            other => format!("{other:?}"),
        };
        format!("{name}: {} × {} = {}", line.quantity, line.unit_price, line.amount)
    };
    table.lines(used).unwrap().iter().map(line).collect()
}

#[test]
fn the_example_of_the_documentation() {
    insta::assert_snapshot!(lines(&by_category(), &sent([3200, 3200])).join("\n"), @r"
    Package { contacts: 5000 }: 1 × 1014.00 = 1014.00
    Overage: 123 × 0.29 = 35.67
    Marketing: 310 × 0.52 = 161.20
    Utilidade: 1840 × 0.12 = 220.80
    Serviço: 4400 × 0.06 = 264.00
    Serviço, gratuitas: 2000 × 0.00 = 0.00
    Licença: 2 × 199.00 = 398.00
    ");
    let (table, sent, numbers) = (by_category(), sent([3200, 3200]), numbers());
    let used = Use { package: 5000, uam: 5123, hsm: 2150, sent: &sent, numbers: &numbers };
    let amounts = Amounts::of(&table.lines(used).unwrap());
    assert_eq!(amounts.total().to_string(), "2093.67");
    assert_eq!([amounts.hsm, amounts.other].map(|a| a.to_string()), ["382.00", "662.00"]);
}

#[test]
fn what_a_number_does_not_use_is_not_anothers() {
    let lines = lines(&by_category(), &sent([300, 6100]));
    assert_eq!(lines[4], "Serviço: 5100 × 0.06 = 306.00");
    assert_eq!(lines[5], "Serviço, gratuitas: 1300 × 0.00 = 0.00");
}

#[test]
fn a_message_without_a_number_of_the_register_has_none_free() {
    let sent = [(sending(Kind::Session, "", None, Billing::Billed), 700)].into_iter().collect();
    assert_eq!(lines(&by_category(), &sent)[2], "Serviço: 700 × 0.06 = 42.00");
}

#[test]
fn what_no_entry_takes_is_hsm_or_free() {
    let sent = [
        (sending(Kind::Hsm, "authentication", None, Billing::Billed), 7),
        (sending(Kind::Hsm, "", None, Billing::Unbilled), 3),
        (sending(Kind::Session, "service", None, Billing::Billed), 90),
    ];
    let mut table = by_category();
    table.messages.truncate(2);
    let sent: Sent = sent.into_iter().collect();
    insta::assert_snapshot!(lines(&table, &sent).join("\n"), @r"
    Package { contacts: 5000 }: 1 × 1014.00 = 1014.00
    Overage: 123 × 0.29 = 35.67
    Hsm: 7 × 0.46 = 3.22
    UnbilledHsm: 3 × 0.00 = 0.00
    Licença: 2 × 199.00 = 398.00
    ");
    // A standard table knows only which are not billed.
    let sent = [(sending(Kind::Hsm, "", None, Billing::Unbilled), 3)].into_iter().collect();
    let used = Use { hsm: 10, sent: &sent, ..Use::plain(5000, 0, 0) };
    let lines = self::table().lines(used).unwrap();
    assert_eq!((lines[2].quantity, lines[3].quantity, lines.len()), (7, 3, 4));
}

#[rstest]
#[case(9_999, &["9999 × 0.12 = 1199.88"])]
#[case(10_000, &["10000 × 0.12 = 1200.00"])]
#[case(10_001, &["10000 × 0.12 = 1200.00", "1 × 0.10 = 0.10"])]
#[case(20_003, &["10000 × 0.12 = 1200.00", "10003 × 0.10 = 1000.30"])]
fn each_message_has_the_price_of_its_step(#[case] sent: u64, #[case] expected: &[&str]) {
    let of = sending(Kind::Hsm, "utility", None, Billing::Billed);
    let all = lines(&by_category(), &[(of, sent)].into_iter().collect());
    let utility = all.iter().filter_map(|line| line.strip_prefix("Utilidade"));
    let amounts: Vec<&str> = utility.filter_map(|line| line.split(": ").nth(1)).collect();
    assert_eq!(amounts, expected);
}

/// Free ones come first; steps count from the first that is charged; what is not billed uses up neither.
#[test]
fn free_comes_before_steps_and_unbilled_uses_up_neither() {
    let steps = steps(&[(10, "0.20")], "0.10");
    let table = PriceTable {
        messages: vec![entry("Tudo", Kind::Hsm, &[], steps, Free::Dealership(5))],
        ..table()
    };
    let sent = [
        (sending(Kind::Hsm, "marketing", None, Billing::Billed), 9),
        (sending(Kind::Hsm, "utility", None, Billing::Billed), 8),
        (sending(Kind::Hsm, "utility", None, Billing::Unbilled), 100),
    ];
    insta::assert_snapshot!(lines(&table, &sent.into_iter().collect())[2..].join("\n"), @r"
    Tudo: 10 × 0.20 = 2.00
    Tudo, acima de 10: 2 × 0.10 = 0.20
    Tudo, gratuitas: 5 × 0.00 = 0.00
    Tudo, sem cobrança: 100 × 0.00 = 0.00
    ");
}

#[rstest]
#[case(&[(Kind::Hsm, &[][..]), (Kind::Hsm, &["marketing"])], Some(1))]
#[case(&[(Kind::Hsm, &["marketing"][..]), (Kind::Hsm, &[])], None)]
#[case(&[(Kind::Hsm, &["marketing"][..]), (Kind::Hsm, &["utility"]), (Kind::Hsm, &["utility", "marketing"])], Some(2))]
#[case(&[(Kind::Hsm, &["marketing"][..]), (Kind::Hsm, &["marketing", "utility"])], None)]
#[case(&[(Kind::Session, &[][..]), (Kind::Hsm, &[])], None)]
#[case(&[(Kind::Session, &[][..]), (Kind::Session, &[])], Some(1))]
fn an_entry_behind_others_that_take_all_of_it_is_never_reached(
    #[case] entries: &[(Kind, &[&str])],
    #[case] expected: Option<usize>,
) {
    let one = Steps::one("0.10".parse().unwrap());
    let entries: Vec<MessagePrice> = entries
        .iter()
        .map(|(kind, categories)| entry("x", *kind, categories, one.clone(), Free::None))
        .collect();
    assert_eq!(unreachable(&entries), expected);
}

#[test]
fn steps_ascend_and_the_last_has_no_end() {
    let step = |up_to| Step { up_to, price: "0.10".parse().unwrap() };
    let of = |ends: &[Option<u64>]| {
        Steps::try_from(ends.iter().copied().map(step).collect::<Vec<_>>()).map(drop)
    };
    assert_eq!(of(&[Some(10), Some(20), None]), Ok(()));
    assert_eq!(of(&[]), Err(InvalidSteps::Ends));
    assert_eq!(of(&[Some(10)]), Err(InvalidSteps::Ends));
    assert_eq!(of(&[None, None]), Err(InvalidSteps::Endless(1)));
    assert_eq!(of(&[Some(10), Some(10), None]), Err(InvalidSteps::Descending(2)));
    assert_eq!(of(&[Some(0), None]), Err(InvalidSteps::Descending(1)));
}

#[test]
fn more_told_apart_than_counted_is_charged_to_nobody() {
    let sent = [(sending(Kind::Hsm, "marketing", None, Billing::Billed), 2)].into_iter().collect();
    let used = Use { hsm: 1, sent: &sent, ..Use::plain(5000, 0, 0) };
    assert_eq!(by_category().lines(used), Err(NoPrice::Unproved));
}

fn any_sent() -> impl Strategy<Value = Vec<(Sending, u64)>> {
    let kind = prop_oneof![Just(Kind::Hsm), Just(Kind::Session)];
    let name = prop_oneof![Just(""), Just("marketing"), Just("utility"), Just("service")];
    let billing = prop_oneof![4 => Just(Billing::Billed), 1 => Just(Billing::Unbilled)];
    let number = prop_oneof![Just(None), Just(Some(0)), Just(Some(1))];
    let one = (kind, name, number, billing, 0_u64..30_000);
    let one = one.prop_map(|(kind, name, number, billing, messages)| {
        (sending(kind, name, number, billing), messages)
    });
    proptest::collection::vec(one, 0..12)
}

proptest! {
    /// What is charged, free and not billed is all that was sent; sessions that no entry takes are free.
    #[test]
    fn every_message_is_on_one_line(sent in any_sent(), with_service: bool) {
        let mut table = by_category();
        if !with_service {
            table.messages.pop();
        }
        let (all, numbers): (Sent, _) = (sent.into_iter().collect(), numbers());
        let hsm = all.of_kind(Kind::Hsm);
        let used = Use { package: 5000, uam: 0, hsm, sent: &all, numbers: &numbers };
        let (mut of_hsm, mut of_sessions) = (0, 0);
        for line in table.lines(used).unwrap() {
            match line.item {
                Item::Hsm | Item::UnbilledHsm | Item::Messages { kind: Kind::Hsm, .. } => {
                    of_hsm += line.quantity;
                }
                Item::Messages { kind: Kind::Session, .. } => of_sessions += line.quantity,
                _ => {}
            }
        }
        prop_assert_eq!(of_hsm, hsm);
        let taken = if with_service { all.of_kind(Kind::Session) } else { 0 };
        prop_assert_eq!(of_sessions, taken);
    }

    /// The order of entries matters only among those that fit the same message.
    #[test]
    fn entries_of_other_messages_may_stand_in_any_order(sent in any_sent(), turn in 0_usize..3) {
        let (table, all, numbers): (_, Sent, _) = (by_category(), sent.into_iter().collect(), numbers());
        let mut turned = table.clone();
        turned.messages.rotate_left(turn);
        let hsm = all.of_kind(Kind::Hsm);
        let used = Use { package: 5000, uam: 0, hsm, sent: &all, numbers: &numbers };
        let total = |table: &PriceTable| -> Money {
            table.lines(used).unwrap().iter().map(|line| line.amount).sum()
        };
        prop_assert_eq!(total(&table), total(&turned));
    }

    /// Against the rule said in another way: one message after the other.
    #[test]
    fn steps_and_free_ones_are_as_one_message_after_the_other(
        sent in 0_u64..40, free in 0_u64..12, first in 1_u64..15, second in 1_u64..15,
    ) {
        let steps = steps(&[(first, "0.07"), (first + second, "0.05")], "0.03");
        let table = PriceTable {
            messages: vec![entry("x", Kind::Hsm, &[], steps, Free::Dealership(free))],
            ..table()
        };
        let of = sending(Kind::Hsm, "", None, Billing::Billed);
        let all: Sent = [(of, sent)].into_iter().collect();
        let used = Use { hsm: sent, sent: &all, ..Use::plain(5000, 0, 0) };
        let amount = Amounts::of(&table.lines(used).unwrap()).hsm.centavos();
        let price = |nth: u64| match nth.checked_sub(free) {
            None => 0,
            Some(charged) if charged < first => 7,
            Some(charged) if charged < first + second => 5,
            Some(_) => 3,
        };
        prop_assert_eq!(amount, (0..sent).map(price).sum::<i64>());
    }
}
