#include "checkpoint/sealed_text.h"

#include <fmt/format.h>
#include <xxhash.h>

namespace kstream {
namespace {

Error broken(std::string rule) {
  return Error{ExitCode::kData, std::move(rule)};
}

std::string last_line(std::string_view above) {
  return fmt::format("xxh3 {:016x} {}\n", XXH3_64bits(above.data(), above.size()), above.size());
}

// The text up to and with its first newline; nothing when it has none.
std::string_view first_line(std::string_view text) {
  const std::size_t end = text.find('\n');
  return end == text.npos ? std::string_view() : text.substr(0, end + 1);
}

Status check_title(std::string_view title, std::string_view line) {
  const std::string_view name = title.substr(0, title.find(' ') + 1);
  if (!line.starts_with(name)) {
    return broken(fmt::format("its first line is not '{}'", title));
  }
  if (line != fmt::format("{}\n", title)) {
    return broken(fmt::format("its version is not one that this kstream reads: '{}', not '{}'",
                              line.substr(0, line.size() - 1), title));
  }
  return {};
}

}  // namespace

std::string seal(std::string_view title, std::string_view line) {
  std::string text = fmt::format("{}\n{}\n", title, line);
  text += last_line(text);
  return text;
}

Result<std::string> unseal(std::string_view title, std::string_view text) {
  if (text.empty()) {
    return broken("it is empty");
  }
  const std::string_view head = first_line(text);
  KS_TRY(check_title(title, head));
  const std::string_view body = first_line(text.substr(head.size()));
  const std::string_view above = text.substr(0, head.size() + body.size());
  const std::string_view end = first_line(text.substr(above.size()));
  if (body.empty() || end.empty()) {
    return broken("it is cut off: three lines are wanted");
  }
  if (above.size() + end.size() != text.size()) {
    return broken(fmt::format("it goes on after its last line, by {} bytes",
                              text.size() - above.size() - end.size()));
  }
  if (const std::string wanted = last_line(above); end != wanted) {
    return broken(fmt::format("its last line does not fit the content: '{}', not '{}'",
                              end.substr(0, end.size() - 1),
                              std::string_view(wanted).substr(0, wanted.size() - 1)));
  }
  return std::string(body.substr(0, body.size() - 1));
}

}  // namespace kstream
