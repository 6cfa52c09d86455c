#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace kstream {

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "kstream: internal error: %s does not hold at %s:%d. This is a bug.\n",
               condition, file, line);
  std::abort();
}

}  // namespace kstream
