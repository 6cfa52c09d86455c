#include "words/json_reader.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <utility>

#include "words/kernel.h"

namespace kstream {
namespace {

namespace ondemand = simdjson::ondemand;
using simdjson::error_code;
template <class T>
using Given = simdjson::simdjson_result<T>;

static_assert(kReadableBeyond >= simdjson::SIMDJSON_PADDING);

// A single record of 16 MiB must not hold 100 MiB for the rest of the process.
constexpr std::size_t kRecordBytesKept = 1024 * 1024;
constexpr std::size_t kWordsKept = kRecordBytesKept / sizeof(std::string_view);
constexpr std::size_t kElsewhere = static_cast<std::size_t>(-1);

constexpr const char* kMissing = "has nothing where --decode json looks for its text";
constexpr const char* kOther =
    "has neither a text, a number nor a list of texts where --decode json looks for it";

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\n\r";
  const std::size_t first = text.find_first_not_of(kBlanks);
  return first == text.npos ? std::string_view()
                            : text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Takes the digits at the front; false when there are none.
bool take_digits(std::string_view& text) {
  const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
  const auto count = static_cast<std::size_t>(end - text.begin());
  text.remove_prefix(count);
  return count > 0;
}

bool take_any_of(std::string_view& text, std::string_view characters) {
  const bool is_there = !text.empty() && characters.find(text[0]) != characters.npos;
  text.remove_prefix(is_there ? 1 : 0);
  return is_there;
}

// The number of RFC 8259. The library's own reading is not asked: it refuses 1e400 and integers of
// more than 64 bits.
bool is_number(std::string_view text) {
  take_any_of(text, "-");
  if (!take_any_of(text, "0") && !take_digits(text)) {
    return false;
  }
  if (take_any_of(text, ".") && !take_digits(text)) {
    return false;
  }
  if (take_any_of(text, "eE")) {
    take_any_of(text, "+-");
    if (!take_digits(text)) {
      return false;
    }
  }
  return text.empty();
}

bool is_literal(std::string_view text) {
  return text == "true" || text == "false" || text == "null";
}

}  // namespace

Result<JsonPointer> parse_json_pointer(std::string_view text) {
  JsonPointer pointer{std::string(text), {}};
  if (!text.empty() && text[0] != '/') {
    return Error{
        ExitCode::kUsage,
        fmt::format("'{}' is not a JSON Pointer: it begins with '/', as in /{}", text, text)};
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '/') {
      pointer.names.emplace_back();
      continue;
    }
    if (text[i] != '~') {
      pointer.names.back() += text[i];
      continue;
    }
    const char escaped = ++i < text.size() ? text[i] : '\0';
    if (escaped != '0' && escaped != '1') {
      return Error{ExitCode::kUsage,
                   fmt::format("'{}' is not a JSON Pointer: in a name '~' is written as ~0, and "
                               "'/' as ~1",
                               text)};
    }
    pointer.names.back() += escaped == '0' ? '~' : '/';
  }
  return pointer;
}

// One record's walk, from the first byte to the last: only that shows it to be valid, and which
// member of a name is the last.
struct JsonReader::Parse {
  error_code walk_record(const std::vector<std::string>& names, std::string_view bytes);
  // `at`: how many of the names have led here, or kElsewhere.
  error_code walk(ondemand::value value, std::size_t at, std::size_t depth);
  error_code walk_object(const Given<ondemand::object>& given, std::size_t at, std::size_t depth);
  error_code walk_array(const Given<ondemand::array>& given, std::size_t at, std::size_t depth);
  error_code take_text(const Given<std::string_view>& given, std::size_t at);
  error_code take_word(ondemand::value element, std::size_t depth);

  bool is_wanted(std::size_t at) const { return at == wanted->size(); }
  void found_nothing(const char* why) {
    found = {};
    found.problem = why;
    words.clear();
  }
  void found_text(std::string_view text) {
    found = {};
    found.text = text;
  }

  ondemand::parser parser;
  const std::vector<std::string>* wanted = nullptr;
  std::vector<std::string_view> words;
  Decoded found;
  std::string problem;
};

error_code JsonReader::Parse::walk_record(const std::vector<std::string>& names,
                                          std::string_view bytes) {
  wanted = &names;
  found_nothing(kMissing);
  if (bytes.starts_with("\xEF\xBB\xBF")) {
    return simdjson::TAPE_ERROR;  // later versions of the library skip a byte order mark
  }
  // What stands alone is no value to the library.
  if (const std::string_view text = without_blanks(bytes); is_number(text)) {
    if (is_wanted(0)) {
      found_text(text);
    }
    return simdjson::SUCCESS;
  } else if (is_literal(text)) {
    if (is_wanted(0)) {
      found_nothing(kOther);
    }
    return simdjson::SUCCESS;
  }
  ondemand::document document;
  if (const error_code error =
          parser.iterate(bytes.data(), bytes.size(), bytes.size() + simdjson::SIMDJSON_PADDING)
              .get(document)) {
    return error;
  }
  ondemand::json_type type{};
  error_code error = document.type().get(type);
  if (!error) {
    // Not by a value: only the document sees to it that what it opens is closed before its end.
    error = type == ondemand::json_type::object   ? walk_object(document.get_object(), 0, 1)
            : type == ondemand::json_type::array  ? walk_array(document.get_array(), 0, 1)
            : type == ondemand::json_type::string ? take_text(document.get_string(), 0)
                                                  : simdjson::TAPE_ERROR;
  }
  if (error) {
    return error;
  }
  return document.current_location().error() == simdjson::OUT_OF_BOUNDS
             ? simdjson::SUCCESS
             : simdjson::TRAILING_CONTENT;
}

error_code JsonReader::Parse::walk(ondemand::value value, std::size_t at, std::size_t depth) {
  ondemand::json_type type{};
  if (const error_code error = value.type().get(type)) {
    return error;
  }
  switch (type) {
    case ondemand::json_type::object:
      return walk_object(value.get_object(), at, depth);
    case ondemand::json_type::array:
      return walk_array(value.get_array(), at, depth);
    case ondemand::json_type::string:
      return take_text(value.get_string(), at);
    case ondemand::json_type::number: {
      const std::string_view number = without_blanks(value.raw_json_token());
      if (is_wanted(at)) {
        found_text(number);
      }
      return is_number(number) ? simdjson::SUCCESS : simdjson::NUMBER_ERROR;
    }
    case ondemand::json_type::boolean:
    case ondemand::json_type::null:
      if (is_wanted(at)) {
        found_nothing(kOther);
      }
      return is_literal(without_blanks(value.raw_json_token())) ? simdjson::SUCCESS
                                                                : simdjson::TAPE_ERROR;
  }
  return simdjson::TAPE_ERROR;
}

error_code JsonReader::Parse::take_text(const Given<std::string_view>& given, std::size_t at) {
  if (is_wanted(at) && !given.error()) {
    found_text(given.value_unsafe());
  }
  return given.error();
}

error_code JsonReader::Parse::walk_object(const Given<ondemand::object>& given, std::size_t at,
                                          std::size_t depth) {
  if (given.error()) {
    return given.error();
  }
  ondemand::object object = given.value_unsafe();
  if (depth > kJsonDepthMax) {
    return simdjson::DEPTH_ERROR;
  }
  if (is_wanted(at)) {
    found_nothing(kOther);
  }
  for (auto member : object) {
    if (member.error()) {
      return member.error();
    }
    ondemand::field field = member.value_unsafe();
    std::string_view name;
    if (const error_code error = field.unescaped_key().get(name)) {
      return error;
    }
    const bool is_on_way = at < wanted->size() && name == (*wanted)[at];
    if (is_on_way) {
      found_nothing(kMissing);
    }
    if (const error_code error = walk(field.value(), is_on_way ? at + 1 : kElsewhere, depth + 1)) {
      return error;
    }
  }
  return simdjson::SUCCESS;
}

error_code JsonReader::Parse::walk_array(const Given<ondemand::array>& given, std::size_t at,
                                         std::size_t depth) {
  if (given.error()) {
    return given.error();
  }
  ondemand::array array = given.value_unsafe();
  if (depth > kJsonDepthMax) {
    return simdjson::DEPTH_ERROR;
  }
  if (is_wanted(at)) {
    found = {};
    found.is_list = true;
    words.clear();
  }
  std::size_t index = 0;
  for (auto item : array) {
    if (item.error()) {
      return item.error();
    }
    ondemand::value element = item.value_unsafe();
    error_code error = simdjson::SUCCESS;
    if (is_wanted(at)) {
      error = take_word(element, depth);
    } else {
      const bool is_on_way = at < wanted->size() && (*wanted)[at] == fmt::format_int(index).c_str();
      error = walk(element, is_on_way ? at + 1 : kElsewhere, depth + 1);
    }
    if (error) {
      return error;
    }
    ++index;
  }
  return simdjson::SUCCESS;
}

error_code JsonReader::Parse::take_word(ondemand::value element, std::size_t depth) {
  ondemand::json_type type{};
  if (const error_code error = element.type().get(type)) {
    return error;
  }
  if (type != ondemand::json_type::string) {
    found.problem = kOther;
    return walk(element, kElsewhere, depth + 1);
  }
  std::string_view word;
  const error_code error = element.get_string().get(word);
  words.push_back(word);
  return error;
}

JsonReader::JsonReader(JsonPointer pointer)
    : pointer_(std::move(pointer)), parse_(std::make_unique<Parse>()) {}

JsonReader::JsonReader(JsonReader&&) noexcept = default;
JsonReader::~JsonReader() = default;

Decoded JsonReader::read(std::string_view bytes) {
  if (parse_->parser.capacity() > kRecordBytesKept || parse_->words.capacity() > kWordsKept) {
    parse_ = std::make_unique<Parse>();
  }
  if (const error_code error = parse_->walk_record(pointer_.names, bytes)) {
    parse_->found_nothing("");
    parse_->problem = "is not one JSON text: ";
    std::string_view why = simdjson::error_message(error);
    why.remove_suffix(why.ends_with('.') ? 1 : 0);
    parse_->problem += why;
    parse_->found.problem = parse_->problem;
  }
  if (!parse_->found.problem.empty()) {
    parse_->words.clear();
    parse_->found.text = {};
    parse_->found.is_list = true;
  }
  parse_->found.words = parse_->words;
  return parse_->found;
}

}  // namespace kstream
