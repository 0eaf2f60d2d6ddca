#!/bin/sh
# Makes the faces of the console from Inter as it is published (npm @expo-google-fonts/inter), with digits of equal
# width: pip install fonttools==4.68.0 brotli; sh assets/console/make.sh FOLDER-WITH-THE-TTFS
set -eu
for weight in Regular SemiBold; do
    pyftsubset "$1/Inter-$weight.ttf" --flavor=woff2 --no-hinting \
        --unicodes="U+0020-007E,U+00A0-017F,U+2013-2014,U+2018-201A,U+201C-201E,U+2022,U+2026,U+20AC,U+2122,U+2190-2193,U+2212,U+2713,U+25B2,U+25BC" \
        --layout-features=kern,liga,calt,tnum,ccmp,locl,mark,case --output-file="$(dirname "$0")/inter-$weight.woff2"
done
