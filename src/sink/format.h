// A batch as text. Pure: the same batch, presentation and time zone give the same bytes.
//
// Format: docs/FORMATS.md. In short:
//   pprint  PySpark's block: local time, Python 3's repr of each word
//   scala   Spark's block: epoch milliseconds, words verbatim
//   tsv     TIME\tWORD\tCOUNT, TIME as RFC 3339 in UTC, control bytes escaped
//   csv     RFC 4180, but records end with LF alone: readers of CSV take both, while awk, cut and
//           sort would take a CR for a part of the count
//   json    one line a batch; totals are the whole batch's, also where `top` cuts `counts`
//   Bytes that are not UTF-8 appear in pprint and json as Python's surrogateescape shows them
//   (\udcNN), in tsv and on a terminal as \xNN, else as they are. Every batch gives a pprint or
//   scala block; in the other formats a batch without id gives nothing at all.
//   Presentation::offsets adds, after the block's empty line or the batch's rows, a line "topic
//   partition from until" per partition; not in json, which has its ranges.
// Errors: those of the function that takes the chunks and of the words; the first one ends the
// text. Limits: chunks of 64 KiB, longer by one word at most, so that no batch is ever one text.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/batch.h"
#include "model/presentation.h"
#include "spill/word_sorter.h"

namespace kstream {

using EmitText = std::function<Status(std::string_view)>;

// In UTC, with milliseconds if there are any: 2026-01-31T10:00:00Z.
std::string rfc3339_time(BatchTime time_ms);

// What comes once, before the first batch: csv's names of columns.
std::string header(const Presentation& presentation);

// `shown` are those of its words that are shown, in their order; they are used up.
Status render(const BatchResult& result, WordSorter& shown, const Presentation& presentation,
              const EmitText& emit);

}  // namespace kstream
