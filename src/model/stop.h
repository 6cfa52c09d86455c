// How a run is asked to end.
#pragma once

#include <stop_token>

namespace kstream {

struct Stop {
  std::stop_token drain;  // begin no further batch
  std::stop_token abort;  // leave the batch in hand as well
};

}  // namespace kstream
