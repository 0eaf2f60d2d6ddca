"""Makes the faces that documents are set in from Inter as it is published.

    pip install fonttools==4.68.0
    python3 assets/fonts/make.py

Each `.otf` has the characters that documents can show and digits of equal width, in outlines of cubic curves
(CFF) on every second line of a grid of 1,000 units an em, which is half the size of the published quadratic ones on
2,048. No point moves by more than two thousandths of an em: at the largest size of a document, 27 points, by less
than two hundredths of a millimetre.
"""

from pathlib import Path

from fontTools.cffLib.width import optimizeWidths
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.qu2cuPen import Qu2CuPen
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.pens.roundingPen import RoundingPen
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.pens.transformPen import TransformPen
from fontTools.ttLib import TTFont

FOLDER = Path(__file__).parent
UNITS = 1000
# In units: how far an outline may move where its curves become others, and the grid of its points.
ERROR, GRID = 1.0, 2
# What `font.rs` knows as its repertoire.
CHARACTERS = [
    *range(0x20, 0x7F), *range(0xA0, 0x180), *range(0x2013, 0x2015), *range(0x2018, 0x201B), *range(0x201C, 0x201F),
    0x2022, 0x2026, 0x20AC, 0x2122, 0x2192, 0x2212, 0x25A1,
]


def tabular(font):
    """The glyph of each digit, and the one of equal width."""
    table = font["GSUB"].table
    lookups = {i for f in table.FeatureList.FeatureRecord if f.FeatureTag == "tnum" for i in f.Feature.LookupListIndex}
    found = {}
    for index in sorted(lookups):
        for subtable in table.LookupList.Lookup[index].SubTable:
            found |= getattr(getattr(subtable, "ExtSubTable", subtable), "mapping", {})
    return found


def make(style):
    source = TTFont(FOLDER / "published" / f"Inter-{style}.ttf")
    scale = UNITS / source["head"].unitsPerEm
    glyphs, digits, characters = source.getGlyphSet(), tabular(source), source.getBestCmap()
    shown = {code: characters[code] for code in CHARACTERS if code in characters}
    plain = {shown[code] for code in range(0x30, 0x3A)}
    names = [".notdef", *dict.fromkeys(shown.values())]
    drawn = {name: digits.get(name, name) if name in plain else name for name in names}
    # Cut off, as printpdf writes widths.
    widths = {name: int(source["hmtx"][drawn[name]][0] * scale) for name in names}
    usual, nominal = optimizeWidths(list(widths.values()))
    charstrings = {}
    for name, width in widths.items():
        pen = T2CharStringPen(None if width == usual else width - nominal, None)
        if name != ".notdef":
            outline = DecomposingRecordingPen(glyphs)
            glyphs[drawn[name]].draw(outline)
            rounding = RoundingPen(pen, lambda length: GRID * round(length / GRID))
            outline.replay(TransformPen(Qu2CuPen(rounding, ERROR, all_cubic=True), (scale, 0, 0, scale, 0, 0)))
        charstrings[name] = pen.getCharString()
    private = {"defaultWidthX": usual, "nominalWidthX": nominal}
    ascent, descent = (round(getattr(source["hhea"], side) * scale) for side in ("ascent", "descent"))
    builder = FontBuilder(UNITS, isTTF=False)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap(shown)
    builder.setupCFF(f"Inter-{style}", {"FullName": f"Inter {style}"}, charstrings, private)
    builder.setupHorizontalMetrics({name: (width, 0) for name, width in widths.items()})
    builder.setupHorizontalHeader(ascent=ascent, descent=descent)
    named = {record.nameID: record.toUnicode() for record in source["name"].names}
    texts = {0: "copyright", 13: "licenseDescription", 14: "licenseInfoURL"}
    builder.setupNameTable(
        {"familyName": "Inter", "styleName": style, "psName": f"Inter-{style}"}
        | {key: named[number] for number, key in texts.items() if number in named}
    )
    builder.setupOS2(usWeightClass=source["OS/2"].usWeightClass, sTypoAscender=ascent, sTypoDescender=descent)
    builder.setupPost(keepGlyphNames=False)
    builder.font["head"].created = builder.font["head"].modified = source["head"].modified
    builder.font.recalcTimestamp = False
    builder.save(FOLDER / f"Inter-{style}.otf")


for style in ("Regular", "SemiBold"):
    make(style)
