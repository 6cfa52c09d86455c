// Errors as values. A Result<T> holds a T or an Error, a Status nothing or an Error; neither can be
// dropped silently.
//
// An Error's text is help: "object: what happened (numbers). What kstream did. What to do."
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "base/check.h"
#include "base/exit_code.h"

namespace kstream {

struct Error {
  ExitCode code = ExitCode::kInternal;
  std::string text;
  // True where the same call may succeed later by itself: a broker that is away, a leader election.
  bool is_transient = false;
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value)  // NOLINT(google-explicit-constructor): a value is a result
      : state_(std::move(value)) {}
  Result(Error error)  // NOLINT(google-explicit-constructor): so is an error
      : state_(tl::unexpected<Error>(std::move(error))) {}

  bool ok() const { return state_.has_value(); }
  const Error& error() const {
    KS_CHECK(!ok());
    return state_.error();
  }
  T& value() & {
    KS_CHECK(ok());
    return *state_;
  }
  const T& value() const& {
    KS_CHECK(ok());
    return *state_;
  }
  T&& value() && {
    KS_CHECK(ok());
    return *std::move(state_);
  }

 private:
  tl::expected<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error)  // NOLINT(google-explicit-constructor): so is an error
      : state_(tl::unexpected<Error>(std::move(error))) {}

  bool ok() const { return state_.has_value(); }
  const Error& error() const {
    KS_CHECK(!ok());
    return state_.error();
  }

 private:
  tl::expected<void, Error> state_;
};

using Status = Result<void>;

}  // namespace kstream

// Leaves the function with the error of `expression`, if it has one.
#define KS_TRY(expression)                                       \
  do {                                                           \
    if (const auto& ks_status = (expression); !ks_status.ok()) { \
      return ks_status.error();                                  \
    }                                                            \
  } while (false)

#define KS_CONCAT_(a, b) a##b
#define KS_CONCAT(a, b) KS_CONCAT_(a, b)
// Declares `name` as the value of `expression`, or leaves the function with its error.
#define KS_TRY_VALUE(name, expression)                 \
  auto KS_CONCAT(ks_result_, __LINE__) = (expression); \
  if (!KS_CONCAT(ks_result_, __LINE__).ok()) {         \
    return KS_CONCAT(ks_result_, __LINE__).error();    \
  }                                                    \
  auto name = std::move(KS_CONCAT(ks_result_, __LINE__)).value()
