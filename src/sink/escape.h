// Words, which may hold any bytes, as the output formats write them.
#pragma once

#include <string>
#include <string_view>

namespace kstream {

// Python 3's repr of the word; bytes that are not UTF-8 as lone surrogates \udcNN.
void append_python_repr(std::string& out, std::string_view word);

// A JSON string with its quotes; bytes that are not UTF-8 as lone surrogates \udcNN.
void append_json_string(std::string& out, std::string_view word);

// \t \n \r \\ and \xNN for all other control bytes and bytes that are not UTF-8.
void append_tsv(std::string& out, std::string_view word);

// Quoted when it has a comma, a quote, a CR or a LF; otherwise as it is.
void append_csv(std::string& out, std::string_view word);

// As it is, but control characters and bytes that are not UTF-8 as \xNN: harmless on a terminal.
void append_for_terminal(std::string& out, std::string_view word);

}  // namespace kstream
