#!/usr/bin/env python3
"""Writes text_lines.bin, text_json.bin and text_counts.txt: what becomes of nasty lines.

text_lines.bin has a record a line; text_json.bin the same as JSON texts, which hold what utf8 makes
of the lines at /a~1b/0/t. text_counts.txt: a line "DECODE SPLIT FILTER" and the words' counts, each
"WORD COUNT", the word's bytes in hex, by bytes.

Everything is done with Python's own codecs, str.split and unicodedata, and nothing of kstream's.
"""
import collections
import json
import pathlib
import unicodedata

LINES = [
    b"", b" ", b"  ", b"a", b" a ", b"a  b", b"x   ", b"   x", b"word\r", b"\r", b"a\tb\x0bc\x0cd",
    "naïve café".encode(), "nai\u0308ve cafe\u0301".encode(), "Straße STRASSE ẞ".encode(),
    "漢字かな交じり文、空白なし。".encode(), "全角\u3000空白".encode(), "한국어 띄어쓰기".encode(),
    "👩\u200d💻 🇩🇪 👍🏽 ❤\ufe0f 1\ufe0f\u20e3".encode(), "שלום עולם مرحبا بالعالم".encode(),
    "\u200eleft\u200f right\u202a \u202c".encode(), "zero\u200bwidth no\u2060break soft\u00adhyphen".encode(),
    "می\u200cخواهم \u200d \u200ca".encode(), "हिन्दी ไทย ελληνικά ΣΊΣΥΦΟΣ".encode(),
    "\ufeffbom".encode(), "NEL\u0085LS\u2028PS\u2029NBSP\u00a0end".encode(), "ȺȾ K Å İstanbul ı ǅ ﬀ".encode(),
    "naïve café".encode("latin-1"), "“smart”".encode("cp1252"), "привет".encode("koi8-r"),
    "hello".encode("utf-16-le"), b"nul\0inside \0 \0\0", b"\xff", b"a\xffb \xc3 \xe2\x82 \xf0\x9f\x98",
    b"\xed\xa0\x80 \xed\xa0\xbd\xed\xb8\x80", b"\xc0\x80 \xc1\xbf \xf5\x80\x80\x80", b"\x80\x81 \x85\xa0",
    b"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", b"It's isn't a_b 3.14 1,000", b"\x1b[31mred\x1b[0m \x7f",
    " ".join(f"w{i % 7}" for i in range(900)).encode(), ("x" * 300 + " " + "é" * 300).encode(),
    ("ab " * 250 + "ü").encode(),
]
assert not any(b"\n" in line for line in LINES)

SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"


def java(text):
    words = text.split(" ")
    if len(words) > 1:
        while words and words[-1] == "":
            words.pop()
    return words


def whitespace(text):
    return text.translate({ord(space): " " for space in SPACES}).split(" ")


def runs(text):
    """Letters, numbers and marks; a mark or a joiner needs something before it, a joiner after it."""
    words, word, joiners = [], "", ""
    for character in text + " ":
        kind = unicodedata.category(character)[0]
        if character in "\u200c\u200d" and word:
            joiners += character
        elif kind in "LN" or (kind == "M" and word):
            word += joiners + character
            joiners = ""
        else:
            words.append(word)
            word = joiners = ""
    return words


SPLITS = {
    "space": lambda text: text.split(" "),
    "java": java,
    "whitespace": lambda text: [word for word in whitespace(text) if word],
    "words": lambda text: [word for word in runs(text) if word],
}


def fold(text):
    def one(character):
        for folded in (character.casefold(), character.lower()):
            if len(folded) == 1:
                return folded
        return character
    return "".join(map(one, text))


FILTERS = {
    "none": lambda word: word,
    "lower": fold,
    "length2": lambda word: word if len(word) >= 2 else None,
    "all": lambda word: fold(word) if len(word) >= 3 and fold(word) not in ("red", "straße", "καλά") else None,
}
DECODES = {  # bytes that are not UTF-8 are lone surrogates here, and bytes again below
    "utf8": lambda line: line.decode(errors="replace"),
    "latin1": lambda line: line.decode("latin-1"),
    "bytes": lambda line: line.decode(errors="surrogateescape"),
}


def as_json(number, line):
    members = {"t": "not this one", "n": 10 ** 30, "é\n": [None, True, {}]}
    text = json.dumps({"a/b": [members | {"t": line.decode(errors="replace")}]}, ensure_ascii=number % 2 == 0,
                      indent=None if number % 3 else "\t").replace("\n", "\r")
    return text.replace('"a/b"', '"a/b": 1, "a\\/b"').encode()


here = pathlib.Path(__file__).parent
(here / "text_lines.bin").write_bytes(b"".join(line + b"\n" for line in LINES))
(here / "text_json.bin").write_bytes(b"".join(as_json(i, line) + b"\n" for i, line in enumerate(LINES)))
out = []
for decode, decoded in DECODES.items():
    for split, words in SPLITS.items():
        for name, filtered in FILTERS.items():
            counts = collections.Counter(filtered(word) for line in LINES for word in words(decoded(line)))
            del counts[None]
            out.append(f"{decode} {split} {name}")
            by_bytes = {word.encode(errors="surrogateescape"): count for word, count in counts.items()}
            out += [f"{word.hex() or '-'} {by_bytes[word]}" for word in sorted(by_bytes)]
(here / "text_counts.txt").write_text("\n".join(out) + "\n")
