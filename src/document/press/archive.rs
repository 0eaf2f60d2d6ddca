//! What makes a file fit for an archive: PDF/A-3b (ISO 19005-3), with its data attached.

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
    file.deflated(content, &entries, &attachment.json, Level::Fast)?;
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

/// XMP, which says the same as the info dictionary, and which conformance is claimed.
pub(in crate::document) fn metadata(about: &About) -> String {
    let created = about.created.to_rfc3339_opts(SecondsFormat::Secs, true);
    let (title, author, subject) = (xml(&about.title), xml(&about.author), xml(&about.subject));
    format!(
        r#"<?xpacket begin="{bom}" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/">
<pdfaid:part>3</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>
<dc:format>application/pdf</dc:format><dc:language><rdf:Bag><rdf:li>pt-BR</rdf:li></rdf:Bag></dc:language>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
<dc:creator><rdf:Seq><rdf:li>{author}</rdf:li></rdf:Seq></dc:creator>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{subject}</rdf:li></rdf:Alt></dc:description>
<xmp:CreateDate>{created}</xmp:CreateDate><xmp:ModifyDate>{created}</xmp:ModifyDate><xmp:CreatorTool>fecha</xmp:CreatorTool>
<pdf:Producer>{PRODUCER}</pdf:Producer>
</rdf:Description></rdf:RDF></x:xmpmeta>
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
