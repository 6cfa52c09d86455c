// The whole of `kstream wordcount`, wired on one page: a record's way is Kafka, a reader, a block,
// a counting thread's table, the merged counts, a sink.

#include <fmt/format.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/counting.h"
#include "app/feeder.h"
#include "app/intake.h"
#include "app/memory.h"
#include "app/outputs.h"
#include "app/run.h"
#include "app/runtime.h"
#include "app/state.h"
#include "kafka/embedded_broker.h"
#include "model/block_exchange.h"
#include "os/clock.h"
#include "os/line_reader.h"
#include "os/memory_limit.h"
#include "os/output.h"
#include "os/temporary_file.h"
#include "pipeline/batch_loop.h"
#include "pipeline/counter.h"
#include "spill/scratch_space.h"
#include "telemetry/log.h"

namespace kstream {
namespace {

constexpr std::int32_t kEmbeddedPartitions = 4;
constexpr std::size_t kBlocksPerReader = 8;

// The broker inside this process and what feeds it.
struct Embedded {
  std::unique_ptr<kafka::EmbeddedBroker> broker;
  std::unique_ptr<Feeder> feeder;
};

Result<Embedded> start_embedded(const Settings& settings, kafka::ClientConfig& client,
                                const std::stop_token& stop) {
  Embedded embedded;
  KS_TRY_VALUE(broker, kafka::EmbeddedBroker::start());
  embedded.broker = std::move(broker);
  client.brokers = embedded.broker->bootstrap();
  // The mock answers a fetch that finds nothing only after this time, whatever comes meanwhile.
  client.properties.insert(client.properties.begin(), {"fetch.wait.max.ms", "10"});
  log::info("embedded broker at {}", client.brokers);
  for (const std::string& topic : settings.topics) {
    if (!topic.starts_with('^')) {
      KS_TRY(embedded.broker->create_topic(topic, kEmbeddedPartitions));
    }
  }
  if (settings.feed) {
    KS_TRY_VALUE(lines, LineReader::open(*settings.feed));
    KS_TRY_VALUE(producer, kafka::Producer::create(client, settings.topics[0]));
    embedded.feeder = std::make_unique<Feeder>(std::move(lines), std::move(producer),
                                               settings.topics[0], kEmbeddedPartitions);
    if (settings.is_once) {
      KS_TRY(embedded.feeder->count_ahead(stop));
    }
  }
  return embedded;
}

BatchLoopOptions loop_options(const Settings& settings, const Intake& intake) {
  BatchLoopOptions options;
  options.interval = settings.interval;
  options.batches_max = settings.batches_max;
  options.last_time_ms = intake.last_time_ms();
  options.is_first_planned = intake.has_plan();
  if (settings.is_bounded()) {
    // Only with a rate do the boundaries say anything.
    options.waits_for_boundaries = settings.max_rate_per_partition.has_value();
    options.give_up_after = settings.startup_timeout;
  }
  return options;
}

Status count_blocks(Counter& counter, BlockExchange& blocks, Feeder* feeder, Runtime& runtime) {
  while (auto block = blocks.take()) {
    counter.count(**block);
    if (!counter.status().ok()) {
      runtime.request_stop();  // what is still to be read is of no use; the batch loop says why
    }
    if (feeder != nullptr) {
      feeder->counted(**block);
    }
    blocks.recycle(*std::move(block));
  }
  return {};
}

}  // namespace

Status run_wordcount(const Settings& settings, Signals& signals) {
  SystemClock clock;
  const std::size_t counting = settings.readers.value_or(default_readers());
  KS_TRY_VALUE(counting_files, read_counting_files(settings, counting));
  const bool has_headers = counting_files.needs_headers();
  State state;
  KS_TRY(open_state(settings, clock, state));
  Output output(STDOUT_FILENO, "standard output");
  const MemoryPlan memory = plan_memory(settings.memory_bytes, memory_limit(), counting);
  ScratchSpace space(state.directory ? state.path() : temporary_directory(),
                     settings.spill_bytes_max);
  kafka::ClientConfig client = settings.client;
  KS_TRY_VALUE(outputs, Outputs::open(settings, client, output, memory.counter_bytes * counting,
                                      space, clock));

  // Whatever ends the run, the threads end before what they use.
  Embedded embedded;
  BlockExchange blocks(counting * kBlocksPerReader);
  std::vector<Counter> counters =
      make_counters(settings, std::move(counting_files), memory.counter_bytes, space);
  std::unique_ptr<Intake> intake;
  Runtime runtime(signals);
  const Stop stop = runtime.stop();

  const Status is_run = runtime.run(
      [&]() -> Status {
        if (settings.is_broker_embedded) {
          KS_TRY_VALUE(started, start_embedded(settings, client, stop.drain));
          embedded = std::move(started);
        }
        Feeder* feeder = embedded.feeder.get();
        const IntakeParts parts{settings, client,     memory.prefetch_bytes, state, feeder, runtime,
                                clock,    has_headers};
        KS_TRY_VALUE(made, settings.mode == Mode::kDirect ? make_direct_intake(parts)
                                                          : make_receiver_intake(parts));
        intake = std::move(made);
        KS_TRY_VALUE(is_started, intake->start(stop));
        if (!is_started) {
          return {};
        }
        if (settings.handler && intake->has_plan()) {
          log::info("the batch in hand when the last run ended is counted with {} as it is now",
                    *settings.handler);
        }
        for (Counter& counter : counters) {
          KS_TRY(runtime.start(
              [&, feeder] { return count_blocks(counter, blocks, feeder, runtime); }));
        }
        if (feeder != nullptr) {
          // A single batch can be finished only when all of the feed is there.
          const std::stop_token& until = settings.is_once ? stop.abort : stop.drain;
          KS_TRY(runtime.start([feeder, until] { return feeder->run(until); }));
        }
        BatchLoop loop(intake->source(), outputs.sinks(), counters, blocks, clock,
                       loop_options(settings, *intake));
        KS_TRY_VALUE(are_sinks_there, loop.start(stop));
        while (are_sinks_there) {
          KS_TRY_VALUE(goes_on, loop.step(stop));
          if (!goes_on) {
            break;
          }
        }
        intake->finish();
        if (are_sinks_there && intake->may_have_rest()) {
          KS_TRY(loop.drain(stop));
        }
        const CountTotals& totals = loop.totals();
        log::info("{} batches, {} records, {} words{}", loop.batches(), totals.records,
                  totals.words,
                  totals.dropped > 0 ? fmt::format(", {} records dropped", totals.dropped) : "");
        return {};
      },
      settings.stop_deadline);
  if (intake != nullptr) {
    intake->finish();
  }
  KS_TRY(is_run);
  blocks.close();
  runtime.request_stop();
  return runtime.join();
}

}  // namespace kstream
