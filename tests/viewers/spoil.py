"""Photographs of a page, so to speak: `python spoil.py PAGE.png FOLDER` writes it as the JPEGs named below."""

import sys
from pathlib import Path

from PIL import Image, ImageFilter

page, folder = Image.open(sys.argv[1]).convert("RGB"), Path(sys.argv[2])
rotated = {degrees: page.rotate(degrees, Image.Resampling.BICUBIC, True, fillcolor="white") for degrees in (4, 90, 187)}
blurred = page.filter(ImageFilter.GaussianBlur(1.5))
for name, picture, quality in [
    ("jpeg", page, 30),
    ("tilted", rotated[4], 70),
    ("turned", rotated[90], 70),
    ("upside-down", rotated[187], 70),
    ("blurred", blurred, 70),
    ("grey", page.convert("L"), 30),
]:
    picture.save(folder / f"{name}.jpg", quality=quality)
