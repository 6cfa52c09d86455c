// KS_CHECK: a programmer's error ends the process with a core, in release builds too. It is never
// the answer to bad input or a failing machine; those are values (see result.h).
#pragma once

namespace kstream {

[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace kstream

#define KS_CHECK(condition)                                    \
  do {                                                         \
    if (!(condition)) [[unlikely]] {                           \
      ::kstream::check_failed(#condition, __FILE__, __LINE__); \
    }                                                          \
  } while (false)
