"""The text that a reader copies out of PDFium, file by file: `python pdfium.py FILE…` prints a JSON array."""

import json
import sys

import pypdfium2


def text(path):
    with pypdfium2.PdfDocument(path) as document:
        return "\n".join(page.get_textpage().get_text_range() for page in document)


json.dump([text(path) for path in sys.argv[1:]], sys.stdout)
