#!/usr/bin/env python3
"""Writes utf8_exhaustive.txt and utf8_random.txt: what Python's own UTF-8 decoder makes of bytes.

A line describes how a byte string is cut: a digit is a valid character of that many bytes, a letter
(a: 1, b: 2, c: 3) is a bad part of that many bytes, which errors='replace' makes one U+FFFD.

utf8_exhaustive.txt: the alphabet in hex, then a line for each string of up to three of its bytes:
all of one length before all of the next, in the order of the alphabet, the last byte moving fastest.
utf8_random.txt: lines "hex cut" for random strings of four to six bytes.
"""
import codecs
import itertools
import pathlib
import random

ALPHABET = bytes.fromhex("00417f808f909fa0bfc0c1c2dfe0e1edeeeff0f1f4f5ff")

bad_parts = []


def note(error):
    bad_parts.append((error.start, error.end))
    return "\ufffd", error.end


codecs.register_error("note", note)


def cut(data):
    bad_parts.clear()
    text = data.decode("utf-8", errors="note")
    assert text == data.decode("utf-8", errors="replace")
    bad = dict(bad_parts)
    line, at = "", 0
    for character in text:
        if at in bad:
            line += " abc"[bad[at] - at]
            at = bad[at]
        else:
            size = len(character.encode())
            line += str(size)
            at += size
    assert at == len(data)
    return line


here = pathlib.Path(__file__).parent
lines = [ALPHABET.hex()]
for length in range(4):
    lines += [cut(bytes(s)) for s in itertools.product(ALPHABET, repeat=length)]
(here / "utf8_exhaustive.txt").write_text("\n".join(lines) + "\n")

random.seed(4)
lines = []
while len(lines) < 2500:
    data = bytes(random.choices(ALPHABET, k=random.randint(4, 6)))
    if max(data) >= 0xE0:
        lines.append(f"{data.hex()} {cut(data)}")
(here / "utf8_random.txt").write_text("\n".join(lines) + "\n")
