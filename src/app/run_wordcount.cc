// The whole of `kstream wordcount`, wired on one page: a record's way is Kafka, a reader, a block,
// a counting thread's table, the merged counts, a sink.

#include <fmt/format.h>
#include <unistd.h>

#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/feeder.h"
#include "app/intake.h"
#include "app/memory.h"
#include "app/outputs.h"
#include "app/run.h"
#include "app/runtime.h"
#include "app/state.h"
#include "handler/handler.h"
#include "kafka/embedded_broker.h"
#include "model/block_exchange.h"
#include "os/clock.h"
#include "os/file_system.h"
#include "os/line_reader.h"
#include "os/memory_limit.h"
#include "os/output.h"
#include "pipeline/batch_loop.h"
#include "pipeline/counter.h"
#include "source/startup.h"
#include "spill/scratch_space.h"
#include "telemetry/log.h"
#include "words/word_filter.h"

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

// One word a line, as it is counted.
Result<std::vector<std::string>> read_stop_words(const std::string& path) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  KS_TRY_VALUE(lines, LineReader::open(path));
  std::vector<std::string> words;
  bool is_first = true;
  while (true) {
    KS_TRY_VALUE(line, lines.next({}));
    if (!line) {
      return words;
    }
    line->remove_prefix(is_first && line->starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0);
    line->remove_suffix(line->ends_with('\r') ? 1 : 0);
    is_first = false;
    if (!line->empty()) {
      words.emplace_back(*line);
    }
  }
}

Result<CountOptions> count_options(const Settings& settings) {
  std::vector<std::string> stop_words;
  if (settings.stop_words) {
    KS_TRY_VALUE(words, read_stop_words(*settings.stop_words));
    stop_words = std::move(words);
  }
  CountOptions options;
  options.decode = settings.decode;
  options.split = settings.split;
  options.kernel = settings.kernel;
  options.on_invalid = settings.on_invalid;
  options.filter = WordFilter(settings.is_lower, settings.characters_min, stop_words);
  return options;
}

Result<HandlerFile> read_handler(const std::string& path) {
  SystemFileSystem files;
  KS_TRY_VALUE(code, files.read(path));
  if (!code) {
    return Error{ExitCode::kNoInput,
                 fmt::format("{}: is not there. Nothing was started. Check --handler.", path)};
  }
  return HandlerFile{path, *std::move(code)};
}

// One for each counting thread; none at all without --handler.
Result<std::vector<std::unique_ptr<Handler>>> make_handlers(const Settings& settings,
                                                            std::size_t count) {
  std::vector<std::unique_ptr<Handler>> handlers(count);
  if (!settings.handler) {
    return handlers;
  }
  KS_TRY_VALUE(file, read_handler(*settings.handler));
  for (auto& handler : handlers) {
    KS_TRY_VALUE(made, Handler::create(file));
    handler = std::move(made);
  }
  const Decoding decoding = settings.decode.decoding;
  if (handlers.front()->has_decode() && decoding != Decoding::kUtf8 &&
      decoding != Decoding::kBytes) {
    return Error{ExitCode::kUsage,
                 fmt::format("handler '{}': defines decode, which takes the place of --decode {}: "
                             "leave out one of them",
                             file.name, to_string(settings.decode))};
  }
  return handlers;
}

std::vector<Counter> make_counters(const CountOptions& options,
                                   std::vector<std::unique_ptr<Handler>> handlers) {
  std::random_device random;
  const std::uint64_t seed = (std::uint64_t{random()} << 32) | random();
  std::vector<Counter> counters;
  counters.reserve(handlers.size());
  for (auto& handler : handlers) {
    counters.emplace_back(options, seed, std::move(handler));
  }
  return counters;
}

}  // namespace

Status run_wordcount(const Settings& settings, Signals& signals) {
  SystemClock clock;
  KS_TRY_VALUE(count, count_options(settings));
  const std::size_t counting = settings.readers.value_or(default_readers());
  KS_TRY_VALUE(handlers, make_handlers(settings, counting));
  const bool has_headers = settings.handler && handlers.front()->has_handle();
  State state;
  KS_TRY(open_state(settings, clock, state));
  Output output(STDOUT_FILENO, "standard output");
  const MemoryPlan memory = plan_memory(settings.memory_bytes, memory_limit(), counting);
  ScratchSpace space(scratch_directory(state.path()), settings.spill_bytes_max);
  count.memory_bytes = memory.counter_bytes;
  count.space = &space;
  kafka::ClientConfig client = settings.client;
  KS_TRY_VALUE(outputs, Outputs::open(settings, client, output, memory.counter_bytes * counting,
                                      space, clock));

  // Whatever ends the run, the threads end before what they use.
  Embedded embedded;
  BlockExchange blocks(counting * kBlocksPerReader);
  std::vector<Counter> counters = make_counters(count, std::move(handlers));
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
