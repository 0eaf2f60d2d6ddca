//! The colour profile of all documents: sRGB, made here from the figures that define it (IEC 61966-2-1,
//! adapted to D50 as ICC.1:2004 wants), so that no file of a third party is embedded.

/// Of every profile.
const HEADER: usize = 128;

/// The profile, 500 bytes or so.
pub(in crate::document) fn profile() -> Vec<u8> {
    let curve = curve();
    let tags: [(&[u8; 4], Vec<u8>); 10] = [
        (b"desc", text("sRGB")),
        (b"cprt", text("No copyright, use freely")),
        (b"wtpt", xyz([0.9642, 1.0, 0.8249])),
        (b"chad", matrix()),
        (b"rXYZ", xyz([0.436_07, 0.222_49, 0.013_92])),
        (b"gXYZ", xyz([0.385_15, 0.716_87, 0.097_08])),
        (b"bXYZ", xyz([0.143_07, 0.060_61, 0.714_10])),
        (b"rTRC", curve.clone()),
        (b"gTRC", curve.clone()),
        (b"bTRC", curve),
    ];
    let table = 4 + tags.len() * 12;
    let (mut directory, mut data) = (Vec::new(), Vec::new());
    directory.extend(be32(tags.len()));
    let mut last: Option<(Vec<u8>, usize)> = None;
    for (signature, content) in tags {
        // The three curves are one.
        let at = match &last {
            Some((same, at)) if *same == content => *at,
            _ => {
                let at = HEADER + table + data.len();
                data.extend(&content);
                data.resize(data.len().next_multiple_of(4), 0);
                at
            }
        };
        directory.extend(signature);
        directory.extend(be32(at));
        directory.extend(be32(content.len()));
        last = Some((content, at));
    }
    [header(HEADER + table + data.len()), directory, data].concat()
}

fn header(size: usize) -> Vec<u8> {
    let mut header = Vec::with_capacity(HEADER);
    header.extend(be32(size));
    header.extend([0; 4]); // no preferred module
    header.extend([4, 0x20, 0, 0]); // version 4.2
    header.extend(b"mntrRGB XYZ ");
    header.extend([2020, 1, 1, 0, 0, 0].into_iter().flat_map(u16::to_be_bytes));
    header.extend(b"acsp");
    header.extend([0; 28]); // no platform, flags, device, attributes; perceptual
    header.extend([0.9642, 1.0, 0.8249].into_iter().flat_map(fixed)); // D50
    header.resize(HEADER, 0); // no creator, no id
    header
}

fn text(text: &str) -> Vec<u8> {
    let mut tag = b"mluc\0\0\0\0".to_vec();
    tag.extend([1, 12].into_iter().flat_map(be32)); // one language, records of 12 bytes
    tag.extend(b"enUS");
    tag.extend([text.len() * 2, 28].into_iter().flat_map(be32));
    tag.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
    tag
}

fn xyz(values: [f64; 3]) -> Vec<u8> {
    let mut tag = b"XYZ \0\0\0\0".to_vec();
    tag.extend(values.into_iter().flat_map(fixed));
    tag
}

/// From D65 to D50 (Bradford).
fn matrix() -> Vec<u8> {
    let rows = [
        [1.047_88, 0.022_92, -0.050_22],
        [0.029_59, 0.990_48, -0.017_08],
        [-0.009_25, 0.015_08, 0.751_68],
    ];
    let mut tag = b"sf32\0\0\0\0".to_vec();
    tag.extend(rows.into_iter().flatten().flat_map(fixed));
    tag
}

/// Linear in the darkest part, a power elsewhere.
fn curve() -> Vec<u8> {
    let mut tag = b"para\0\0\0\0\0\x03\0\0".to_vec();
    let parameters = [2.4, 1.0 / 1.055, 0.055 / 1.055, 1.0 / 12.92, 0.040_45];
    tag.extend(parameters.into_iter().flat_map(fixed));
    tag
}

/// A number of a profile: 16 bits before and 16 behind the point.
#[expect(clippy::cast_possible_truncation, reason = "all numbers of the profile are small")]
fn fixed(value: f64) -> [u8; 4] {
    ((value * 65_536.0).round() as i32).to_be_bytes()
}

fn be32(number: usize) -> [u8; 4] {
    u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profile_is_as_long_as_it_says() {
        let profile = profile();
        assert_eq!(profile[..4], be32(profile.len()));
        assert_eq!(&profile[36..40], b"acsp");
        assert!(profile.len() < 600, "{}", profile.len());
    }
}
