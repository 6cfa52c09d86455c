// The commands.
#pragma once

#include "base/result.h"
#include "config/settings.h"
#include "os/signals.h"

namespace kstream {

Status run_wordcount(const Settings& settings, Signals& signals);
Status run_produce(const Settings& settings, Signals& signals);
Status run_broker(const Settings& settings, Signals& signals);

}  // namespace kstream
