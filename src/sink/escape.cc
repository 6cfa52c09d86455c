#include "sink/escape.h"

#include <fmt/format.h>
#include <utf8proc.h>

#include <iterator>

namespace kstream {
namespace {

// One character of a word, or one byte that begins none.
struct Piece {
  std::string_view bytes;
  std::int32_t code = -1;  // -1: not UTF-8
};

// Takes the next piece off the front of `text`, which is not empty.
Piece next_piece(std::string_view& text) {
  const auto first = static_cast<unsigned char>(text[0]);
  Piece piece{text.substr(0, 1), first};
  if (first >= 0x80) {
    utf8proc_int32_t code = -1;
    const auto length = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                         static_cast<utf8proc_ssize_t>(text.size()), &code);
    piece = length > 0 ? Piece{text.substr(0, static_cast<std::size_t>(length)), code}
                       : Piece{text.substr(0, 1), -1};
  }
  text.remove_prefix(piece.bytes.size());
  return piece;
}

// Takes the longest front of `text` that no format escapes: printable ASCII without quotes and the
// backslash. Most words are that as a whole.
std::string_view take_plain(std::string_view& text) {
  std::size_t length = 0;
  while (length < text.size() && text[length] >= ' ' && text[length] < '\x7f' &&
         text[length] != '\'' && text[length] != '"' && text[length] != '\\') {
    ++length;
  }
  const std::string_view plain = text.substr(0, length);
  text.remove_prefix(length);
  return plain;
}

// Appends the word, `append_piece` what in it is not plain.
template <class AppendPiece>
void append_pieces(std::string& out, std::string_view word, AppendPiece append_piece) {
  for (out += take_plain(word); !word.empty(); out += take_plain(word)) {
    append_piece(next_piece(word));
  }
}

unsigned byte_of(const Piece& piece) {
  return static_cast<unsigned char>(piece.bytes[0]);
}

bool is_control(std::int32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

// Python's str.isprintable.
bool is_printable(std::int32_t code) {
  if (code < 0x7f) {
    return code >= 0x20;
  }
  switch (utf8proc_category(code)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_ZS:
      return false;
    default:
      return true;
  }
}

template <class... Args>
void append(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

// The short escape of \t, \n, \r and the backslash; nothing for other characters.
std::string_view short_escape(std::int32_t code) {
  switch (code) {
    case '\t':
      return "\\t";
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\\':
      return "\\\\";
    default:
      return {};
  }
}

void append_python_escape(std::string& out, std::int32_t code) {
  if (code < 0x100) {
    append(out, "\\x{:02x}", code);
  } else if (code < 0x10000) {
    append(out, "\\u{:04x}", code);
  } else {
    append(out, "\\U{:08x}", code);
  }
}

void append_hex_bytes(std::string& out, std::string_view bytes) {
  for (const char byte : bytes) {
    append(out, "\\x{:02x}", static_cast<unsigned char>(byte));
  }
}

}  // namespace

void append_python_repr(std::string& out, std::string_view word) {
  const bool has_single = word.find('\'') != word.npos;
  const bool has_double = word.find('"') != word.npos;
  const char quote = has_single && !has_double ? '"' : '\'';
  out += quote;
  append_pieces(out, word, [&](const Piece& piece) {
    if (piece.code < 0) {
      append(out, "\\udc{:02x}", byte_of(piece));
    } else if (piece.code == quote) {
      out += '\\';
      out += quote;
    } else if (const auto escape = short_escape(piece.code); !escape.empty()) {
      out += escape;
    } else if (is_printable(piece.code)) {
      out += piece.bytes;
    } else {
      append_python_escape(out, piece.code);
    }
  });
  out += quote;
}

void append_json_string(std::string& out, std::string_view word) {
  out += '"';
  append_pieces(out, word, [&](const Piece& piece) {
    if (piece.code < 0) {
      append(out, "\\udc{:02x}", byte_of(piece));
    } else if (piece.code == '"') {
      out += "\\\"";
    } else if (const auto escape = short_escape(piece.code); !escape.empty()) {
      out += escape;
    } else if (is_control(piece.code)) {
      append(out, "\\u{:04x}", piece.code);
    } else {
      out += piece.bytes;
    }
  });
  out += '"';
}

void append_tsv(std::string& out, std::string_view word) {
  append_pieces(out, word, [&](const Piece& piece) {
    if (const auto escape = short_escape(piece.code); !escape.empty()) {
      out += escape;
    } else if (piece.code < 0 || is_control(piece.code)) {
      append_hex_bytes(out, piece.bytes);
    } else {
      out += piece.bytes;
    }
  });
}

void append_csv(std::string& out, std::string_view word) {
  if (word.find_first_of(",\"\r\n") == word.npos) {
    out += word;
    return;
  }
  out += '"';
  for (const char byte : word) {
    if (byte == '"') {
      out += '"';
    }
    out += byte;
  }
  out += '"';
}

void append_for_terminal(std::string& out, std::string_view word) {
  append_pieces(out, word, [&](const Piece& piece) {
    if (piece.code < 0 || is_control(piece.code)) {
      append_hex_bytes(out, piece.bytes);
    } else {
      out += piece.bytes;
    }
  });
}

}  // namespace kstream
