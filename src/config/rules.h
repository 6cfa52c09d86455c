// Which options go together, and what those that were not given follow from.
#pragma once

#include "base/result.h"
#include "config/settings.h"

namespace kstream {

// After the last option. Errors: 64 with the options that do not go together.
Status complete(Settings& settings);

}  // namespace kstream
