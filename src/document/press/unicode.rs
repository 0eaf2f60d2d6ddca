//! Which character each number of an embedded part of a face stands for, for programs that copy text.

/// Blocks of a map have no more lines (ISO 32000-1, 9.10.3, which refers to Adobe's Technical Note 5014).
const BLOCK: usize = 100;

/// The map of a part that has the characters of `text` under the numbers from 1 on; characters that follow
/// one another share a line.
pub(in crate::document) fn map(text: &str) -> String {
    let mut runs: Vec<Run> = Vec::new();
    for (c, number) in text.chars().zip(1..) {
        let code = u32::from(c);
        match runs.last_mut() {
            Some(run) if run.goes_on_with(number, code) => run.length += 1,
            _ => runs.push(Run { number, code, length: 1 }),
        }
    }
    let mut map = "/CIDInit/ProcSet findresource begin 12 dict begin begincmap\
                   /CIDSystemInfo<</Registry(Adobe)/Ordering(UCS)/Supplement 0>>def\
                   /CMapName/Adobe-Identity-UCS def/CMapType 2 def\n\
                   1 begincodespacerange<0000><FFFF>endcodespacerange\n"
        .to_owned();
    for block in runs.chunks(BLOCK) {
        map += &format!("{} beginbfrange\n", block.len());
        for Run { number, code, length } in block {
            map += &format!("<{number:04X}><{:04X}><{code:04X}>\n", number + length - 1);
        }
        map += "endbfrange\n";
    }
    map + "endcmap CMapName currentdict/CMap defineresource pop end end"
}

#[derive(Debug)]
struct Run {
    number: u32,
    code: u32,
    length: u32,
}

impl Run {
    /// Only the last byte may change within a line, on either side.
    fn goes_on_with(&self, number: u32, code: u32) -> bool {
        self.code + self.length == code
            && self.number + self.length == number
            && self.code >> 8 == code >> 8
            && self.number >> 8 == number >> 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_follow_one_another_share_a_line() {
        let map = map(" ABCþÿĀ→ab");
        let lines: Vec<&str> = map.lines().filter(|line| line.starts_with("<0")).collect();
        assert_eq!(
            lines,
            [
                "<0001><0001><0020>",
                "<0002><0004><0041>",
                "<0005><0006><00FE>",
                "<0007><0007><0100>",
                "<0008><0008><2192>",
                "<0009><000A><0061>",
            ]
        );
        assert!(map.contains("\n6 beginbfrange\n"));
    }

    #[test]
    fn blocks_have_at_most_a_hundred_lines() {
        let every_other: String = ('A'..='\u{300}').step_by(2).collect();
        let map = map(&every_other);
        assert_eq!(map.matches(" beginbfrange").count(), every_other.chars().count().div_ceil(100));
        assert!(map.contains("\n100 beginbfrange\n"));
    }
}
