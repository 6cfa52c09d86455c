#include "config/output_target.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "base/url.h"
#include "config/places.h"

namespace kstream {
namespace {

struct Form {
  std::string_view begin;  // with its colon if a place follows
  OutputKind kind;
  std::string_view example;

  bool fits(std::string_view text) const {
    return begin.ends_with(':') ? text.starts_with(begin) && text != begin : text == begin;
  }
};
constexpr Form kForms[] = {{"stdout", OutputKind::kStdout, "stdout"},
                           {"file:", OutputKind::kFiles, "file:DIR"},
                           {"sqlite:", OutputKind::kSqlite, "sqlite:counts.db"},
                           {"postgres:", OutputKind::kPostgres, "postgres://USER@HOST/DATABASE"},
                           {"kafka:", OutputKind::kKafka, "kafka:counts"}};

Status check(const OutputTarget& target) {
  switch (target.kind) {
    case OutputKind::kPostgres:
      KS_TRY(url_without_secrets(target.place));
      return {};
    case OutputKind::kKafka:
      return target.place.starts_with('^')
                 ? Error{ExitCode::kUsage, "batches go to one topic, by its name"}
                 : check_topic(target.place);
    case OutputKind::kStdout:
    case OutputKind::kFiles:
    case OutputKind::kSqlite:
      return {};
  }
  return {};
}

}  // namespace

Result<OutputTarget> parse_output(std::string_view text) {
  // What people have at hand is the whole URL: postgres://... and postgresql://..., too.
  const bool is_url = text.starts_with("postgres://") || text.starts_with("postgresql://");
  const std::string spelled_out = fmt::format("{}{}", is_url ? "postgres:" : "", text);
  std::vector<std::string_view> examples;
  for (const Form& form : kForms) {
    if (form.fits(spelled_out)) {
      OutputTarget target{form.kind, spelled_out.substr(form.begin.size())};
      KS_TRY(check(target));
      return target;
    }
    examples.push_back(form.example);
  }
  // Not the text itself: it may have a password.
  return Error{ExitCode::kUsage,
               fmt::format("'{}' is not one of them, as in {}", text.substr(0, text.find(':')),
                           fmt::join(examples, ", "))};
}

}  // namespace kstream
