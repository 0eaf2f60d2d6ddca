"""Renders a page again and again in one warm process: `peer.py weasyprint|typst PAGE FONTS`.

Prints the seconds of one core that a page takes, and the bytes of its PDF.
"""

import sys
import time

name, page, fonts = sys.argv[1:]

if name == "weasyprint":
    from weasyprint import HTML
    from weasyprint.text.fonts import FontConfiguration

    configuration = FontConfiguration()

    def render():
        return HTML(filename=page).write_pdf(font_config=configuration)

else:
    import typst

    compiler = typst.Compiler(font_paths=[fonts], ignore_system_fonts=True)

    def render():
        return compiler.compile(input=page, format="pdf")


size = len(render())
start, pages = time.process_time(), 0
while time.process_time() - start < 5:
    render()
    pages += 1
print((time.process_time() - start) / pages, size)
