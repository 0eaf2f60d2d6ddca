"""The commented configuration without a value that is somebody's: what has to be filled in stands behind a `#`."""

import re
import sys

SOMEBODYS = {
    "[issuer]": {"name", "cnpj", "address", "city", "state", "email", "phone"},
    "[issuer.pix]": {"[issuer.pix]", "key"},
    "[messages]": {"url"},
    "[[prices]]": {"[[prices]]", "from", "overage", "hsm", "packages", "{", "]"},
    "[email]": {"from", "reply_to", "finance"},
    "[email.smtp]": {"host", "username"},
}

section = ""
for line in sys.stdin:
    if line.startswith("["):
        section = line.strip()
    word = re.match(r"\s*(\[\[?[a-z.]+\]\]?|[a-z_]+|\{|\])", line)
    if word and word[1] in SOMEBODYS.get(section, ()):
        line = "# " + line
    line = line.replace('url = "sqlite:fecha.db"', 'url = "sqlite:/var/lib/fecha/fecha.db"')
    line = line.replace('dir = "mail"', 'dir = "/var/lib/fecha/mail"')
    sys.stdout.write(line)
