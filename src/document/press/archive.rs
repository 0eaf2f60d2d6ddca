//! What makes a file fit for an archive, PDF/A-3a (ISO 19005-3), with its data attached, and for readers
//! who do not see its pages, PDF/UA-1 (ISO 14289-1).

use chrono::{DateTime, SecondsFormat, Utc};

use super::PressError;
use super::file::{File, Id, Level, text_string};
use super::print::{About, Attachment};

pub(in crate::document) const PRODUCER: &str = "fecha, printpdf";

/// The entries of the catalog of every file.
pub(in crate::document) fn catalog(
    pages: Id,
    structure: Option<Id>,
    metadata: Id,
    profile: Id,
) -> String {
    let structure = structure.map_or_else(String::new, |root| {
        format!("/MarkInfo<</Marked true>>/StructTreeRoot {}", root.reference())
    });
    format!(
        "/Type/Catalog/Pages {}/Lang(pt-BR)/ViewerPreferences<</DisplayDocTitle true>>{structure}\
         /Metadata {}/OutputIntents[<</Type/OutputIntent/S/GTS_PDFA1\
         /OutputConditionIdentifier(sRGB)/Info(sRGB IEC61966-2.1)/DestOutputProfile {}>>]",
        pages.reference(),
        metadata.reference(),
        profile.reference(),
    )
}

/// Attaches a file as the data that the document shows; gives its entries of the catalog.
pub(in crate::document) fn attach(
    file: &mut File,
    objects: &mut Vec<(Id, String)>,
    attachment: &Attachment,
    about: &About,
) -> Result<String, PressError> {
    let (content, specification) = (file.reserve(), file.reserve());
    let entries = format!(
        "/Type/EmbeddedFile/Subtype/application#2Fjson/Params<</Size {}/ModDate{}>>",
        attachment.json.len(),
        date(about.created)
    );
    file.deflated(content, &entries, &attachment.json, Level::Good)?;
    let (name, content) = (text_string(&attachment.name), content.reference());
    objects.push((
        specification,
        format!(
            "<</Type/Filespec/F{name}/UF{name}/AFRelationship/Data/Desc{}/EF<</F {content}/UF {content}>>>>",
            text_string(&about.title),
        ),
    ));
    let specification = specification.reference();
    Ok(format!("/AF[{specification}]/Names<</EmbeddedFiles<</Names[{name}{specification}]>>>>"))
}

/// `(D:20261101030001Z)`
pub(in crate::document) fn date(instant: DateTime<Utc>) -> String {
    instant.format("(D:%Y%m%d%H%M%SZ)").to_string()
}

/// PDF/A knows no identification of PDF/UA: a file that has one must describe it.
const UNIVERSAL_ACCESS: &str = r#"<rdf:Description rdf:about="" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/" xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">
<pdfuaid:part>1</pdfuaid:part>
<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource"><pdfaSchema:schema>PDF/UA</pdfaSchema:schema><pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI><pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix><pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource"><pdfaProperty:name>part</pdfaProperty:name><pdfaProperty:valueType>Integer</pdfaProperty:valueType><pdfaProperty:category>internal</pdfaProperty:category><pdfaProperty:description>Part of ISO 14289</pdfaProperty:description></rdf:li></rdf:Seq></pdfaSchema:property></rdf:li></rdf:Bag></pdfaExtension:schemas>
</rdf:Description>"#;

/// XMP, which says the same as the info dictionary, and which conformance is claimed.
pub(in crate::document) fn metadata(about: &About) -> String {
    let created = about.created.to_rfc3339_opts(SecondsFormat::Secs, true);
    let (title, author, subject) = (xml(&about.title), xml(&about.author), xml(&about.subject));
    format!(
        r#"<?xpacket begin="{bom}" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/">
<pdfaid:part>3</pdfaid:part><pdfaid:conformance>A</pdfaid:conformance>
<dc:format>application/pdf</dc:format><dc:language><rdf:Bag><rdf:li>pt-BR</rdf:li></rdf:Bag></dc:language>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
<dc:creator><rdf:Seq><rdf:li>{author}</rdf:li></rdf:Seq></dc:creator>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{subject}</rdf:li></rdf:Alt></dc:description>
<xmp:CreateDate>{created}</xmp:CreateDate><xmp:ModifyDate>{created}</xmp:ModifyDate><xmp:CreatorTool>fecha</xmp:CreatorTool>
<pdf:Producer>{PRODUCER}</pdf:Producer>
</rdf:Description>
{UNIVERSAL_ACCESS}</rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"#,
        bom = '\u{feff}',
    )
}

/// A text in XML; characters that XML cannot have are replaced.
fn xml(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => written += "&amp;",
            '<' => written += "&lt;",
            '>' => written += "&gt;",
            '\u{fffe}' | '\u{ffff}' => written.push('\u{fffd}'),
            c if c.is_control() => written.push(' '),
            c => written.push(c),
        }
    }
    written
}
