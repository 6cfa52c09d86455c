#include <fmt/format.h>

#include <algorithm>

#include "app/run.h"
#include "app/runtime.h"
#include "kafka/producer.h"
#include "os/clock.h"
#include "os/line_reader.h"
#include "telemetry/log.h"

namespace kstream {
namespace {

// Waits until `sent` records are due at the rate, counted from `started_ms`.
void keep_rate(std::int64_t rate_records_per_s, std::uint64_t sent, std::int64_t started_ms,
               Clock& clock, const std::stop_token& stop) {
  const std::int64_t due_ms =
      started_ms + static_cast<std::int64_t>(sent) * 1000 / rate_records_per_s;
  if (const std::int64_t left = due_ms - clock.steady_ms(); left > 0) {
    clock.wait(std::chrono::milliseconds(left), stop);
  }
}

Status produce_lines(const Settings& settings, const std::stop_token& stop) {
  SystemClock clock;
  KS_TRY_VALUE(lines, LineReader::open("-"));
  KS_TRY_VALUE(producer, kafka::Producer::create(settings.client, settings.topics[0]));
  const std::int64_t started_ms = clock.steady_ms();
  std::uint64_t sent = 0;
  while (true) {
    KS_TRY_VALUE(line, lines.next(stop));
    if (!line || stop.stop_requested()) {
      break;
    }
    std::optional<std::string_view> key;
    std::string_view value = *line;
    if (settings.key_separator) {
      if (const std::size_t at = value.find(*settings.key_separator); at != value.npos) {
        key = value.substr(0, at);
        value.remove_prefix(at + settings.key_separator->size());
      }
    }
    if (settings.rate_records_per_s) {
      keep_rate(*settings.rate_records_per_s, sent, started_ms, clock, stop);
    }
    KS_TRY(producer->send(kafka::Producer::kAnyPartition, key, value, stop));
    ++sent;
  }
  // A stop ends the reading; what was read is still sent.
  KS_TRY(producer->flush(settings.startup_timeout, std::stop_token()));
  log::info("topic '{}': {} records acknowledged", settings.topics[0], producer->acknowledged());
  return {};
}

}  // namespace

Status run_produce(const Settings& settings, Signals& signals) {
  Runtime runtime(signals);
  const std::stop_token drain = runtime.stop().drain;
  KS_TRY(runtime.run([&] { return produce_lines(settings, drain); },
                     settings.startup_timeout + settings.stop_deadline));
  return runtime.join();
}

}  // namespace kstream
