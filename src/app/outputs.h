// The sinks of a run, as the settings name them.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "config/settings.h"
#include "kafka/client_config.h"
#include "os/clock.h"
#include "os/file_descriptor.h"
#include "os/file_system.h"
#include "os/output.h"
#include "pipeline/sink.h"
#include "spill/scratch_space.h"

namespace kstream {

// Everything referred to outlives them.
class Outputs {
 public:
  // `output` is standard output. A topic is one of the client's brokers, asked for only with the
  // first batch. For words in order the sinks need so much memory, and the space.
  static Result<Outputs> open(const Settings& settings, const kafka::ClientConfig& client,
                              Output& output, std::size_t memory_bytes, ScratchSpace& space,
                              Clock& clock);

  // In the order of the settings.
  std::vector<Sink*> sinks() const;

 private:
  std::unique_ptr<FileSystem> files_;
  std::vector<FileDescriptor> locks_;
  std::vector<std::unique_ptr<Sink>> sinks_;
};

}  // namespace kstream
