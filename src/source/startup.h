// The patience of a start: brokers that are not there yet, topics that nobody has made yet.
#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include "base/result.h"
#include "model/stop.h"
#include "os/clock.h"

namespace kstream {

// Tries to open a source until it works; false when stopped before. `timeout` is how long brokers
// are waited for, nothing: for ever; with one, a missing topic is waited for but a moment.
// Errors: the last try's.
Result<bool> open_patiently(const std::function<Status()>& open,
                            std::optional<std::chrono::milliseconds> timeout, Clock& clock,
                            const Stop& stop);

}  // namespace kstream
