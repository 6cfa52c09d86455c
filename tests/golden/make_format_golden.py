#!/usr/bin/env python3
"""Writes format_words.txt and a golden file per output format, format_*.txt.

format_words.txt: lines "count hex", the words of the nasty batch, which format_test.cc reads too.
The golden files hold the cases that cases() lists, one after the other. Python's own repr makes
pprint's words; the csv and json that this script writes are read back with strict readers.
"""
import csv
import datetime
import io
import json
import pathlib
import unicodedata

NASTY = [
    b"", b"hello", b"it's", b'say "hi"', b"both'\"", b"back\\slash", b"tab\t", b"new\nline",
    b"cr\r", b"\x1b[31m", b"\x7f", b"nul\x00", "\u0085", "\u00a0", "\u00ad", "\u200b", "\u2028",
    "\u2029", "\u3000", "\ufeff", "\u00e9", "e\u0301", "\U0001f600", "\u0378", "\ue000", "\u009b",
    "\u202e", "\U000e0001", "\U0010ffff", "\u6f22\u5b57", "com,ma", "100%", "{}", "(a, 1)", "''",
    b"\xff", b"a\xffb", b"\xed\xa0\x80", b"\xe2\x82", b"\x9b31m", b"\xf0\x9f\x98 '",
]
NASTY = [word.encode() if isinstance(word, str) else word for word in NASTY]
NASTY = [(word, i % 7 + 1 if i != 3 else 2**64 - 1) for i, word in enumerate(NASTY)]
PLAIN = [(b"world", 1), (b"hello", 2)]
MANY = [(b"w%d" % i, 1000 if i == 24 else i // 3 + 1) for i in range(25)]
RANGES = [("test", 0, 5120, 5310), ("test", 1, 4990, 4990)]


class Case:
    def __init__(self, words, time_ms=1514260202000, top=None, order="count", offsets=False):
        self.words, self.time_ms, self.top = words, time_ms, top
        self.order, self.offsets = order, offsets
        self.ranges = RANGES if words else [(t, p, f, f) for t, p, f, _ in RANGES]

    def shown(self):
        by_word = sorted(self.words)
        words = by_word if self.order == "word" else sorted(by_word, key=lambda w: -w[1])
        return words[: self.top]

    def offset_lines(self):
        return "".join("%s %s %s %s\n" % r for r in self.ranges) if self.offsets else ""


def cases():
    return [
        Case(PLAIN),
        Case([], time_ms=1514260201500, offsets=True),
        Case(NASTY),
        Case(NASTY, time_ms=1514260201001, order="word"),
        Case(NASTY, top=3, offsets=True),
        Case(MANY, top=10),
        Case(MANY, top=25),
        Case(MANY, top=0, order="word"),
        Case(MANY, top=2, order="word"),
    ]


def text(word):
    return word.decode("utf-8", errors="surrogateescape")


def is_control(c):
    return unicodedata.category(c) == "Cc" or "\udc80" <= c <= "\udcff"


def hex_bytes(c):
    return "".join("\\x%02x" % b for b in c.encode("utf-8", errors="surrogateescape"))


def for_terminal(word):
    return "".join(hex_bytes(c) if is_control(c) else c for c in text(word))


def block(case, time, show):
    rule = "-" * 43 + "\n"
    lines = "".join(show(w, n) + "\n" for w, n in case.shown())
    more = "...\n" if len(case.words) > len(case.shown()) else ""
    return f"{rule}Time: {time}\n{rule}{lines}{more}\n{case.offset_lines()}"


def pprint(case):
    time = datetime.datetime.fromtimestamp(case.time_ms / 1000.0, datetime.timezone.utc)
    return block(case, str(time.replace(tzinfo=None)), lambda w, n: repr((text(w), n)))


def scala(case):
    return block(case, f"{case.time_ms} ms", lambda w, n: f"({text(w)},{n})")


def scala_terminal(case):
    return block(case, f"{case.time_ms} ms", lambda w, n: f"({for_terminal(w)},{n})")


def rfc3339(case):
    seconds, ms = divmod(case.time_ms, 1000)
    time = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return time.strftime("%Y-%m-%dT%H:%M:%S") + (".%03d" % ms if ms else "") + "Z"


def rows(case, separator, show):
    if not case.words:
        return ""
    lines = [separator.join((rfc3339(case), show(w), str(n))) for w, n in case.shown()]
    return "".join(line + "\n" for line in lines) + case.offset_lines()


def tsv(case):
    short = {"\t": "\\t", "\n": "\\n", "\r": "\\r", "\\": "\\\\"}
    return rows(case, "\t", lambda w: "".join(
        short.get(c) or (hex_bytes(c) if is_control(c) else c) for c in text(w)))


def quoted(field):
    return '"%s"' % field.replace('"', '""') if any(c in field for c in ',"\r\n') else field


def csv_rows(case):
    made = rows(case, ",", lambda w: quoted(text(w)))
    body = made[: len(made) - len(case.offset_lines())] if case.words else ""
    # Needs Python 3.11: older readers refuse NUL.
    read = list(csv.reader(io.StringIO(body, newline=""), strict=True))
    assert read == [[rfc3339(case), text(w), str(n)] for w, n in case.shown()]
    return made


def csv_terminal(case):
    return rows(case, ",", lambda w: quoted(for_terminal(w)))


def json_string(word):
    short = {"\t": "\\t", "\n": "\\n", "\r": "\\r", "\\": "\\\\", '"': '\\"'}
    return '"%s"' % "".join(
        short.get(c) or ("\\u%04x" % ord(c) if is_control(c) else c) for c in text(word))


def json_line(case):
    if not case.words:
        return ""
    ranges = ",".join('["%s",%d,%d,%d]' % r for r in case.ranges)
    counts = ",".join("[%s,%d]" % (json_string(w), n) for w, n in case.shown())
    line = (f'{{"batch":812,"time":"{rfc3339(case)}","interval_ms":2000,"records":11,"words":25,'
            f'"distinct":{len(case.words)},"nulls":3,"invalid":4,"ranges":[{ranges}],'
            f'"counts":[{counts}]}}')
    assert json.loads(line)["counts"] == [[text(w), n] for w, n in case.shown()]
    return line + "\n"


here = pathlib.Path(__file__).parent
(here / "format_words.txt").write_text("".join(f"{n} {w.hex()}\n" for w, n in NASTY))
for name, render in {
    "pprint": pprint, "scala": scala, "scala_terminal": scala_terminal, "tsv": tsv,
    "csv": csv_rows, "csv_terminal": csv_terminal, "json": json_line,
}.items():
    golden = "".join(render(case) for case in cases())
    data = golden.encode("utf-8", errors="surrogateescape")
    (here / f"format_{name}.txt").write_bytes(data)
