// The commands.
#pragma once

#include "base/result.h"
#include "config/settings.h"
#include "os/signals.h"

namespace kstream {

Status run_wordcount(const Settings& settings, Signals& signals);
Status run_produce(const Settings& settings, Signals& signals);
Status run_broker(const Settings& settings, Signals& signals);
Status run_state(const Settings& settings);
Status run_repair(const Settings& settings);
Status run_convert(const Settings& settings);
Status run_adopt(const Settings& settings);
Status run_offsets(const Settings& settings);

}  // namespace kstream
