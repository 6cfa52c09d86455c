// How records come into the program: the source of the batches, with all that works for it.
#pragma once

#include <cstddef>
#include <memory>

#include "app/runtime.h"
#include "app/state.h"
#include "config/settings.h"
#include "kafka/client_config.h"
#include "model/batch.h"
#include "model/stop.h"
#include "os/clock.h"
#include "pipeline/source.h"

namespace kstream {

class Feeder;

// What every intake is made of; outlives it.
struct IntakeParts {
  const Settings& settings;
  const kafka::ClientConfig& client;
  std::size_t prefetch_bytes;
  State& state;
  Feeder* feeder;  // of the embedded broker; may be null
  Runtime& runtime;
  Clock& clock;
  bool has_headers = false;  // somebody asks for the records' headers
};

class Intake {
 public:
  virtual ~Intake() = default;

  // Waits for brokers and topics, then starts its threads. False when stopped.
  virtual Result<bool> start(const Stop& stop) = 0;
  virtual Source& source() = 0;

  // Of an earlier run: when its last batch was, and whether that is still to be done.
  virtual BatchTime last_time_ms() const = 0;
  virtual bool has_plan() const = 0;

  // No further batch is wanted. Returns when everything that others are to know has been said.
  virtual void finish() = 0;
  // Whether after that there may be records here that no batch has.
  virtual bool may_have_rest() const = 0;
};

// One of the two, as the settings say.
Result<std::unique_ptr<Intake>> make_direct_intake(const IntakeParts& parts);
Result<std::unique_ptr<Intake>> make_receiver_intake(const IntakeParts& parts);

}  // namespace kstream
