// A batch as text. Pure: the same batch and presentation give the same bytes.
//
// Format: docs/FORMATS.md. In short: pprint is PySpark's block with Python 3's repr of each word;
//   scala is Spark's, words verbatim; tsv escapes control bytes; csv is RFC 4180 with newlines alone
//   as line ends; json is one line a batch. Bytes that are not UTF-8 appear as Python's
//   surrogateescape shows them in pprint and json, as \xNN in tsv.
// Errors: only those of the function that takes the chunks.
// Limits: chunks of about 64 KiB, so that no batch is ever one text.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/batch.h"
#include "model/presentation.h"

namespace kstream {

using EmitText = std::function<Status(std::string_view)>;

// What comes once, before the first batch.
std::string header(const Presentation& presentation);

Status render(const BatchResult& result, const Presentation& presentation, const EmitText& emit);

// The words that are shown, in their order.
std::vector<WordCount> select_words(std::span<const WordCount> counts, const Presentation& presentation);

}  // namespace kstream
