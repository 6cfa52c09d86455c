// The sinks of a run, as the settings name them.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "config/settings.h"
#include "os/output.h"
#include "pipeline/sink.h"
#include "spill/scratch_space.h"

namespace kstream {

// In the order of the settings. Each opens what it writes to; what it needs beside its own memory
// to bring words in order is given. Everything referred to outlives the sinks.
Result<std::vector<std::unique_ptr<Sink>>> open_outputs(const Settings& settings, Output& output,
                                                        std::size_t memory_bytes,
                                                        ScratchSpace& space);

}  // namespace kstream
