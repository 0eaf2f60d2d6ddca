"""Renders a page again and again in one warm process: `peer.py weasyprint|typst PAGE FONTS`.

Each page has another number, as invoices do, so that none comes out of a cache. Prints the seconds of one core that a page takes, and the bytes of its PDF.
"""

import itertools
import pathlib
import sys
import time

name, page, fonts = sys.argv[1:]
page = pathlib.Path(page)
text = page.read_text()
numbered = page.with_stem("numbered")
numbers = itertools.count(1)


def another():
    numbered.write_text(text.replace("2026-000001", f"2026-{next(numbers):06}"))
    return str(numbered)


if name == "weasyprint":
    from weasyprint import HTML
    from weasyprint.text.fonts import FontConfiguration

    configuration = FontConfiguration()

    def render():
        return HTML(filename=another()).write_pdf(font_config=configuration)

else:
    import typst

    compiler = typst.Compiler(font_paths=[fonts], ignore_system_fonts=True)

    def render():
        return compiler.compile(input=another(), format="pdf")


size = len(render())
start, pages = time.process_time(), 0
while time.process_time() - start < 5:
    render()
    pages += 1
print((time.process_time() - start) / pages, size)
