//! What is wrong with a file of a bank, and what of it is no payment.

/// `extrato.ofx, linha 12`.
#[must_use]
pub fn place(place: &str) -> String {
    match place.rsplit_once(" line ") {
        Some((file, line)) => format!("{file}, linha {line}"),
        None => place.to_owned(),
    }
}

/// What a reason says, by words that stand in it.
const REASONS: [(&str, &str); 27] = [
    ("larger than 50 MB", "é maior que 50 MB: exporte um período menor"),
    (
        "is a workbook of Excel",
        "é uma planilha do Excel: salve como “CSV UTF-8” e envie esse arquivo",
    ),
    ("is a PDF", "é um PDF: exporte o extrato do banco em OFX ou CNAB"),
    ("is UTF-16", "está em UTF-16: salve como “CSV UTF-8”"),
    ("is not UTF-8", "não está em UTF-8: salve como “CSV UTF-8” no Excel"),
    ("is empty", "está vazio"),
    ("sent to the bank", "é a remessa, que foi enviada ao banco: envie o arquivo de retorno"),
    ("of another bank than", "é de outro banco que o cabeçalho"),
    ("behind the end of the file", "está depois do fim do arquivo"),
    (
        "CNAB 400 fecha does not know",
        "é CNAB 400 de um banco que o fecha não conhece: peça ao banco o CNAB 240 ou o OFX",
    ),
    ("lines are missing", "faltam linhas antes ou depois desta: baixe o arquivo de novo"),
    ("says that", "a contagem do próprio arquivo não confere: baixe-o de novo"),
    (
        "the file is cut off or was edited",
        "não tem o tamanho certo: o arquivo está cortado ou foi editado",
    ),
    ("cut off", "o arquivo está cortado: baixe-o de novo"),
    ("fecha bills in BRL", "está em outra moeda: o fecha fatura em reais"),
    ("a bank's error", "é uma mensagem de erro do banco, não um extrato: exporte de novo"),
    ("export it as UTF-8", "está em uma codificação desconhecida: exporte em UTF-8"),
    ("which its header names", "não está na codificação que o cabeçalho informa: exporte de novo"),
    ("two transactions run into one", "duas transações estão misturadas: exporte de novo"),
    ("too many cells", "tem células demais para uma tabela de pagamentos"),
    (
        "may be thousands or a fraction",
        "o valor pode ser milhar ou fração: escreva com duas casas decimais",
    ),
    ("finer than a centavo", "o valor tem mais de duas casas decimais"),
    ("is no amount", "o valor não pode ser lido: escreva como 1192,27"),
    ("is no day", "a data não pode ser lida: escreva como 10/11/2026"),
    ("is not above zero", "o valor tem de ser maior que zero"),
    ("is too large", "o valor é grande demais"),
    ("pago_em", "falta a coluna pago_em, ou o dia nela, com a data de cada pagamento"),
];

/// Why a line, or the whole file, cannot be read; with the reader's own words where none of ours are known.
#[must_use]
pub fn reason(reason: &str) -> String {
    let known = REASONS.iter().find(|(words, _)| reason.contains(words));
    match known {
        Some((_, words)) if reason.starts_with('\'') => {
            let value = reason.split('\'').nth(1).unwrap_or_default();
            format!("“{value}”: {words}.")
        }
        Some((_, words)) => format!("{words}."),
        None if reason.contains("no header of a file") || reason.contains("column") => {
            "o cabeçalho não é de um arquivo conhecido: CSV com number,on,amount (ou o CSV de faturas com a coluna pago_em), OFX, CNAB 240 ou 400 de retorno.".to_owned()
        }
        None => format!("não pode ser lido ({reason})."),
    }
}

/// What a file has that is no payment; the bank's words stay.
#[must_use]
pub fn left_out(what: &str) -> String {
    [
        (": look at it", " (confira no banco)"),
        (", with nothing paid", ", sem valor pago"),
        ("another occurrence of the bank", "outra ocorrência do banco"),
        ("record of type", "registro do tipo"),
        ("segment", "segmento"),
        ("invoice without a day in pago_em", "faturas sem dia em pago_em"),
        ("of an investment account", "de conta de investimento"),
        ("not posted yet", "ainda não lançadas"),
    ]
    .into_iter()
    .fold(what.to_owned(), |words, (english, ours)| words.replace(english, ours))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_file_is_told_in_portuguese() {
        assert_eq!(place("extrato de out.ofx line 12"), "extrato de out.ofx, linha 12");
        assert_eq!(place("extrato.ofx"), "extrato.ofx");
        let bad =
            fecha_core::bank::read("a.csv", b"number,on,amount\n2026-000001,x,1\n").unwrap_err();
        assert!(reason(&bad.first[0].reason).starts_with("“x”: a data não pode"), "{bad}");
        for bytes in
            [&b"%PDF-1.7"[..], b"PK\x03\x04", b"", b"a,b\n1,2\n", b"OFXHEADER:100\n<OFX><STMTTRN>"]
        {
            let bad = fecha_core::bank::read("a", bytes).unwrap_err();
            let told = reason(&bad.first[0].reason);
            assert!(!told.contains("não pode ser lido ("), "{told}");
        }
    }
}
