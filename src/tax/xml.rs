//! A DPS as XML, in the order of layout 1.01. It is not signed: whoever sends it signs it.

use std::fmt::Display;
use std::io;

use fecha_core::price::money::Money;
use fecha_core::tax::dps::{Dps, Taker};
use fecha_core::tax::profile::{Profile, Simples, Totals};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

const NAMESPACE: &str = "http://www.sped.fazenda.gov.br/nfse";
const VERSION: &str = "1.01";
/// `verAplic`. Not the version of the program, by which a file that says the same would be another one.
const PROGRAM: &str = "fecha-1";

/// An element: a text, or others.
enum Node {
    Leaf(&'static str, String),
    Branch(&'static str, Vec<Node>),
}

fn leaf(name: &'static str, text: impl Display) -> Node {
    Node::Leaf(name, text.to_string())
}

/// Those that are there.
fn branch(name: &'static str, inner: impl IntoIterator<Item = Option<Node>>) -> Node {
    Node::Branch(name, inner.into_iter().flatten().collect())
}

/// The file. The same DPS gives the same bytes.
///
/// # Errors
/// None in practice: it is written to memory.
pub fn write(dps: &Dps<'_>) -> io::Result<Vec<u8>> {
    let mut writer = Writer::new(Vec::new());
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let id = dps.id();
    writer
        .create_element("DPS")
        .with_attribute(("xmlns", NAMESPACE))
        .with_attribute(("versao", VERSION))
        .write_inner_content(|writer| {
            let root = writer.create_element("infDPS").with_attribute(("Id", id.as_str()));
            root.write_inner_content(|writer| put_all(writer, &content(dps)))?;
            Ok(())
        })?;
    Ok(writer.into_inner())
}

fn put_all(writer: &mut Writer<Vec<u8>>, nodes: &[Node]) -> io::Result<()> {
    for node in nodes {
        match node {
            Node::Leaf(name, text) => {
                writer.create_element(*name).write_text_content(BytesText::new(text))?;
            }
            Node::Branch(name, inner) => {
                writer
                    .create_element(*name)
                    .write_inner_content(|writer| put_all(writer, inner))?;
            }
        }
    }
    Ok(())
}

fn content(dps: &Dps<'_>) -> Vec<Node> {
    let profile = dps.profile;
    let mut nodes = vec![
        leaf("tpAmb", profile.environment.code()),
        leaf("dhEmi", dps.made_at.format("%Y-%m-%dT%H:%M:%S%:z")),
        leaf("verAplic", PROGRAM),
        leaf("serie", dps.number.series),
        leaf("nDPS", dps.number.number),
        // The month counts. Its first day, as services begin with a month.
        leaf("dCompet", dps.month.first_day()),
        // The provider makes it.
        leaf("tpEmit", 1),
        leaf("cLocEmi", profile.municipality),
        provider(dps),
        taker(&dps.taker),
        service(dps),
        values(dps),
    ];
    nodes.extend(ibs_cbs(profile));
    nodes
}

/// Name and address of who makes it are known to the tax authority, and are not to be told.
fn provider(dps: &Dps<'_>) -> Node {
    let Profile { municipal_registration, regime, .. } = dps.profile;
    let assessed = match regime.simples {
        Simples::No | Simples::Mei => None,
        Simples::Small(assessed) => Some(leaf("regApTribSN", assessed)),
    };
    let regime = [
        Some(leaf("opSimpNac", regime.simples.code())),
        assessed,
        Some(leaf("regEspTrib", regime.special)),
    ];
    let registration = municipal_registration.as_ref().map(|text| leaf("IM", text));
    branch("prest", [Some(leaf("CNPJ", dps.cnpj)), registration, Some(branch("regTrib", regime))])
}

fn taker(taker: &Taker) -> Node {
    let postal_code: String =
        taker.postal_code.to_string().chars().filter(char::is_ascii_digit).collect();
    let city = [Some(leaf("cMun", taker.municipality)), Some(leaf("CEP", postal_code))];
    let address = [
        Some(branch("endNac", city)),
        Some(leaf("xLgr", &taker.street)),
        Some(leaf("nro", &taker.number)),
        taker.complement.as_ref().map(|text| leaf("xCpl", text)),
        Some(leaf("xBairro", &taker.district)),
    ];
    branch(
        "toma",
        [
            Some(leaf("CNPJ", &taker.cnpj)),
            taker.municipal_registration.as_ref().map(|text| leaf("IM", text)),
            Some(leaf("xNome", &taker.name)),
            Some(branch("end", address)),
        ],
    )
}

fn service(dps: &Dps<'_>) -> Node {
    let codes = dps.profile.service;
    let place = [Some(leaf("cLocPrestacao", dps.profile.municipality))];
    let what = [
        Some(leaf("cTribNac", codes.national)),
        codes.municipal.map(|code| leaf("cTribMun", code)),
        Some(leaf("xDescServ", &dps.description)),
        Some(leaf("cNBS", codes.nbs)),
    ];
    let note = [Some(leaf("xInfComp", &dps.note))];
    branch(
        "serv",
        [
            Some(branch("locPrest", place)),
            Some(branch("cServ", what)),
            Some(branch("infoCompl", note)),
        ],
    )
}

fn values(dps: &Dps<'_>) -> Node {
    let (profile, taxed) = (dps.profile, dps.taxed);
    let discount = (taxed.discount > Money::ZERO)
        .then(|| branch("vDescCondIncond", [Some(leaf("vDescIncond", taxed.discount))]));
    let iss = [
        // A service that is taxed in Brazil.
        Some(leaf("tribISSQN", 1)),
        Some(leaf("tpRetISSQN", if dps.taker.iss_withheld { 2 } else { 1 })),
        profile.iss_rate.map(|rate| leaf("pAliq", rate)),
    ];
    let total = match profile.totals {
        Totals::Unsaid => leaf("indTotTrib", 0),
        Totals::Percent([federal, state, city]) => branch(
            "pTotTrib",
            [
                Some(leaf("pTotTribFed", federal)),
                Some(leaf("pTotTribEst", state)),
                Some(leaf("pTotTribMun", city)),
            ],
        ),
        Totals::Simples(percent) => leaf("pTotTribSN", percent),
    };
    let both = [Some(branch("tribMun", iss)), Some(branch("totTrib", [Some(total)]))];
    branch(
        "valores",
        [
            Some(branch("vServPrest", [Some(leaf("vServ", taxed.service))])),
            discount,
            Some(branch("trib", both)),
        ],
    )
}

fn ibs_cbs(profile: &Profile) -> Option<Node> {
    let codes = profile.ibs_cbs?;
    let classed = [Some(leaf("CST", codes.situation)), Some(leaf("cClassTrib", codes.class))];
    let taxes = branch("trib", [Some(branch("gIBSCBS", classed))]);
    Some(branch(
        "IBSCBS",
        [
            // A regular NFS-e, for no person's own use, and who takes the service is who it is for.
            Some(leaf("finNFSe", 0)),
            Some(leaf("indFinal", 0)),
            Some(leaf("cIndOp", codes.operation)),
            Some(leaf("indDest", 0)),
            Some(branch("valores", [Some(taxes)])),
        ],
    ))
}
