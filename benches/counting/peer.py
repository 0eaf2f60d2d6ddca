"""The same count by others, in one process: UAM and HSM of each dealership, the first contact of each contact.

    python peer.py duckdb|polars|python ENGINE URL FROM TO

ENGINE is sqlite, postgres or mariadb; FROM and TO are Unix milliseconds. Prints the seconds that it took, the
sum of UAM and the sum of HSM. Exits with 3 where what it needs is not installed or does not read the engine.
"""

import re
import sys
import time
from urllib.parse import urlsplit

IGNORED = ("queued", "failed")
AREA = "(?:[14689][1-9]|2[12478]|3[1-578]|5[13-5]|7[13-579])"


def absent(why):
    print(why, file=sys.stderr)
    sys.exit(3)


def instant(engine, millis):
    """As the engine's SQL writes it."""
    if engine == "sqlite":
        return str(millis)
    text = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(millis / 1000))
    return f"TIMESTAMPTZ '{text}+00'" if engine == "postgres" else f"TIMESTAMP '{text}'"


def within(engine, start, end):
    return f"sent_at >= {instant(engine, start)} AND sent_at < {instant(engine, end)}"


def duckdb(engine, url, start, end):
    try:
        import duckdb as library
        from duckdb_extensions import import_extension
    except ImportError as error:
        absent(error)
    scanner = {"sqlite": "sqlite_scanner", "postgres": "postgres_scanner", "mariadb": "mysql_scanner"}[engine]
    parts = urlsplit(url)
    attach = {
        "sqlite": (url.removeprefix("sqlite:"), "sqlite"),
        "postgres": (url, "postgres"),
        "mariadb": (
            f"host={parts.hostname} port={parts.port} user={parts.username} db={parts.path[1:]}"
            + (f" passwd={parts.password}" if parts.password else ""),
            "mysql",
        ),
    }[engine]
    began = time.monotonic()
    connection = library.connect()
    try:
        import_extension(scanner, con=connection)
        connection.execute(f"LOAD {scanner}")
    except Exception as error:
        absent(error)
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"ATTACH '{attach[0]}' AS theirs (TYPE {attach[1]}, READ_ONLY)")
    # Spellings of a number are one identity, as for fecha.
    sql = f"""
        WITH bare AS (
            SELECT dealership_id, direction, kind, sent_at,
                regexp_replace(regexp_replace(trim(contact), '^whatsapp:|@s\\.whatsapp\\.net$|@c\\.us$', '', 'g'),
                    '[+ ()-]', '', 'g') AS contact
            FROM theirs.message WHERE {within(engine, start, end)}
                AND direction IN ('in', 'out') AND kind IN ('hsm', 'session')
                AND (status IS NULL OR status NOT IN {IGNORED})
        ), contacts AS (
            SELECT dealership_id, regexp_replace(regexp_replace(contact, '^(55{AREA})([6-9]\\d{{7}})$', '\\19\\2'),
                    '^521(\\d{{10}})$', '52\\1') AS identity,
                MIN(sent_at) AS first_at, arg_min(direction, sent_at) AS first_direction,
                COUNT(*) FILTER (direction = 'in') AS received, COUNT(*) FILTER (direction = 'out') AS sent,
                COUNT(*) FILTER (kind = 'hsm' AND direction = 'out') AS hsm
            FROM bare WHERE regexp_matches(contact, '^\\d{{8,15}}$|^[A-Z]{{2}}\\.[A-Za-z0-9]+$') GROUP BY ALL
        )
        SELECT dealership_id, COUNT(*) AS uam, SUM(hsm) AS hsm, MIN(first_at) AS first_at,
            SUM(received) AS received, SUM(sent) AS sent FROM contacts GROUP BY ALL"""
    rows = connection.execute(sql).fetchall()
    return time.monotonic() - began, sum(row[1] for row in rows), sum(row[2] for row in rows)


def polars(engine, url, start, end):
    try:
        import connectorx
        import polars as pl
    except ImportError as error:
        absent(error)
    url = {"sqlite": url.replace("sqlite:", "sqlite://", 1), "postgres": url, "mariadb": url}[engine]
    sql = f"""SELECT dealership_id, contact, direction, kind, status, sent_at FROM message
        WHERE {within(engine, start, end).replace("TIMESTAMPTZ ", "")}"""
    began = time.monotonic()
    messages = pl.from_arrow(connectorx.read_sql(url, sql, return_type="arrow"))
    number = pl.col("contact").str.strip_chars().str.replace_all(
        r"^whatsapp:|@s\.whatsapp\.net$|@c\.us$", "").str.replace_all(r"[+ ()-]", "")
    contacts = (
        messages.lazy()
        .filter(pl.col("direction").is_in(["in", "out"]), pl.col("kind").is_in(["hsm", "session"]),
                ~pl.col("status").is_in(list(IGNORED)).fill_null(False))
        .with_columns(number.alias("identity"))
        .filter(pl.col("identity").str.contains(r"^\d{8,15}$|^[A-Z]{2}\.[A-Za-z0-9]+$"))
        .with_columns(pl.col("identity").str.replace(f"^(55{AREA})([6-9]\\d{{7}})$", "${1}9${2}")
                      .str.replace(r"^521(\d{10})$", "52${1}"))
        .group_by("dealership_id", "identity")
        .agg(pl.col("sent_at").min().alias("first_at"), (pl.col("direction") == "in").sum().alias("received"),
             (pl.col("direction") == "out").sum().alias("sent"),
             ((pl.col("kind") == "hsm") & (pl.col("direction") == "out")).sum().alias("hsm"))
        .group_by("dealership_id").agg(pl.len().alias("uam"), pl.col("hsm").sum())
        .collect()
    )
    return time.monotonic() - began, contacts["uam"].sum(), contacts["hsm"].sum()


def python(engine, url, start, end):
    if engine != "sqlite":
        absent("only SQLite has a driver in Python itself")
    import sqlite3

    affixes, others = re.compile(r"^whatsapp:|@s\.whatsapp\.net$|@c\.us$"), str.maketrans("", "", "+ ()-")
    valid, old = re.compile(r"\d{8,15}|[A-Z]{2}\.[A-Za-z0-9]+"), re.compile(f"(55{AREA})([6-9]\\d{{7}})")
    began = time.monotonic()
    known, identities = {}, {}
    sql = f"SELECT dealership_id, contact, direction, kind, status, sent_at FROM message WHERE {within(engine, start, end)}"
    for dealership, contact, direction, kind, status, sent_at in sqlite3.connect(url.removeprefix("sqlite:")).execute(sql):
        if status in IGNORED or direction not in ("in", "out") or kind not in ("hsm", "session"):
            continue
        identity = identities.get(contact)
        if identity is None:
            identity = affixes.sub("", contact.strip()).translate(others)
            if not valid.fullmatch(identity):
                continue
            if match := old.fullmatch(identity):
                identity = f"{match[1]}9{match[2]}"
            elif len(identity) == 13 and identity.startswith("521"):
                identity = "52" + identity[3:]
            identities[contact] = identity
        use = known.get((dealership, identity))
        if use is None:
            use = known[dealership, identity] = [sent_at, 0, 0, 0]
        use[0] = min(use[0], sent_at)
        use[1 if direction == "in" else 2] += 1
        use[3] += kind == "hsm" and direction == "out"
    return time.monotonic() - began, len(known), sum(use[3] for use in known.values())


if __name__ == "__main__":
    peer, engine, url, start, end = sys.argv[1:]
    seconds, uam, hsm = {"duckdb": duckdb, "polars": polars, "python": python}[peer](engine, url, int(start), int(end))
    print(f"{seconds:.3f} {uam} {hsm}")
