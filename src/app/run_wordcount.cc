// The whole of `kstream wordcount`, wired on one page: a record's way is Kafka, a reader, a block,
// a counting thread's table, the merged counts, a sink.

#include <fmt/format.h>
#include <unistd.h>

#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "app/feeder.h"
#include "app/run.h"
#include "app/runtime.h"
#include "checkpoint/checkpoint_store.h"
#include "kafka/cluster_view.h"
#include "kafka/embedded_broker.h"
#include "kafka/reader_pool.h"
#include "model/block_exchange.h"
#include "offsets/kafka_offsets.h"
#include "offsets/position_publisher.h"
#include "offsets/zookeeper_offsets.h"
#include "os/clock.h"
#include "os/file_system.h"
#include "os/output.h"
#include "os/private_directory.h"
#include "pipeline/batch_loop.h"
#include "pipeline/counter.h"
#include "sink/console.h"
#include "source/direct_source.h"
#include "telemetry/log.h"
#include "words/decoder.h"
#include "words/tokenizer.h"

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

DirectSourceOptions source_options(const Settings& settings, const Feeder* feeder,
                                   PositionPublisher& publisher) {
  DirectSourceOptions options;
  options.positions.topics = settings.topics;
  options.positions.from = settings.from;
  options.positions.until = settings.until;
  options.positions.ranges = settings.ranges;
  options.watch.discover_every = settings.discover_every;
  options.watch.on_data_loss = settings.skips_lost_records ? OnDataLoss::kSkip : OnDataLoss::kFail;
  options.watch.takes_new_partitions = settings.ranges.empty();
  options.identity = {new_stream_id(),
                      "",
                      settings.topics,
                      "direct",
                      settings.client.is_read_uncommitted ? "uncommitted" : "committed",
                      std::string(name_of(kDecodingNames, settings.decoding)),
                      std::string(name_of(kSplitNames, settings.split))};
  if (publisher.has_targets()) {
    options.publisher = &publisher;
    options.positions.committed = [&publisher](std::span<const TopicPartition> partitions) {
      return publisher.first().read(partitions);
    };
  }
  if (settings.is_bounded()) {
    options.startup_timeout = settings.startup_timeout;
  }
  if (feeder != nullptr && settings.until == Place(Latest{})) {
    options.positions.until.reset();
    options.final_ends = [feeder] { return feeder->final_ends(); };
  }
  if (!settings.is_once && settings.ranges.empty()) {
    RateOptions rates;
    rates.interval = settings.interval;
    rates.has_backpressure = settings.has_backpressure;
    if (settings.has_backpressure) {
      rates.initial = static_cast<double>(settings.initial_rate);
    }
    if (settings.max_rate_per_partition) {
      rates.max_per_partition = static_cast<double>(*settings.max_rate_per_partition);
    }
    rates.min_per_partition = settings.min_rate_per_partition;
    options.rates = rates;
  }
  return options;
}

BatchLoopOptions loop_options(const Settings& settings, const Checkpoint& checkpoint) {
  BatchLoopOptions options;
  options.interval = settings.interval;
  options.batches_max = settings.batches_max;
  options.last_time_ms =
      checkpoint.intent ? checkpoint.intent->time_ms : checkpoint.committed.time_ms;
  options.is_first_planned = checkpoint.intent.has_value();
  if (settings.is_bounded()) {
    // Only with a rate do the boundaries say anything.
    options.waits_for_boundaries = settings.max_rate_per_partition.has_value();
    options.give_up_after = settings.startup_timeout;
  }
  return options;
}

// Where positions are published, and where `--from committed` asks: ZooKeeper first, if it is
// named.
Status add_offset_stores(const Settings& settings, const kafka::ClientConfig& client,
                         PositionPublisher& publisher) {
  if (settings.zookeeper) {
    KS_TRY_VALUE(zookeeper, ZooKeeperOffsets::create(*settings.zookeeper, *settings.group));
    publisher.add(std::move(zookeeper));
  }
  if (settings.group) {
    KS_TRY_VALUE(group, KafkaOffsets::create(client, *settings.group));
    publisher.add(std::move(group));
  }
  return {};
}

// The state directory, locked, with what an earlier run left in it.
struct State {
  std::optional<PrivateDirectory> directory;
  std::optional<StoredState> stored;
};

Result<State> open_state(const Settings& settings, FileSystem& files, Clock& clock) {
  State state;
  if (!settings.state_dir) {
    if (!settings.is_bounded() && !settings.is_broker_embedded) {
      log::info("no --state-dir: a restart will not know what has been counted");
    }
    return state;
  }
  KS_TRY_VALUE(directory, PrivateDirectory::open(*settings.state_dir,
                                                 settings.may_state_be_on_network, clock));
  KS_TRY_VALUE(stored, read_state(files, directory.path()));
  if (!stored) {
    KS_TRY_VALUE(names, directory.names());
    for (const std::string& name : names) {
      if (!is_state_file(name)) {
        return Error{ExitCode::kConfig,
                     fmt::format("{}: holds '{}', which is no state of kstream. Nothing was read. "
                                 "Name a directory of its own.",
                                 directory.path(), name)};
      }
    }
  }
  state.directory.emplace(std::move(directory));
  state.stored = std::move(stored);
  return state;
}

Status count_blocks(Counter& counter, BlockExchange& blocks, Feeder* feeder) {
  while (auto block = blocks.take()) {
    counter.count(**block);
    if (feeder != nullptr) {
      feeder->counted(**block);
    }
    blocks.recycle(*std::move(block));
  }
  return {};
}

std::vector<Counter> make_counters(const Settings& settings, std::size_t count) {
  std::random_device random;
  const std::uint64_t seed = (std::uint64_t{random()} << 32) | random();
  std::vector<Counter> counters;
  counters.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    counters.emplace_back(CountOptions{settings.decoding, settings.split}, seed);
  }
  return counters;
}

}  // namespace

Status run_wordcount(const Settings& settings, Signals& signals) {
  SystemClock clock;
  SystemFileSystem files;
  KS_TRY_VALUE(state, open_state(settings, files, clock));
  const std::string state_dir = state.directory ? state.directory->path() : "";
  CheckpointStore store;
  if (state.directory) {
    store = CheckpointStore(files, state_dir);
  }
  Output output(STDOUT_FILENO, "standard output");
  Presentation presentation = settings.presentation;
  presentation.is_terminal = output.is_terminal();
  Console console(output, presentation);

  kafka::ClientConfig client = settings.client;
  Embedded embedded;
  // Whatever ends the run, the threads end before what they use.
  const std::size_t readers = settings.readers.value_or(usable_cores());
  BlockExchange blocks(readers * kBlocksPerReader);
  std::vector<Counter> counters = make_counters(settings, readers);
  PositionPublisher publisher(clock);
  std::stop_source is_counted;
  Runtime runtime(signals);
  const Stop stop = runtime.stop();

  const Status is_run = runtime.run(
      [&]() -> Status {
        if (settings.is_broker_embedded) {
          KS_TRY_VALUE(started, start_embedded(settings, client, stop.drain));
          embedded = std::move(started);
        }
        Feeder* feeder = embedded.feeder.get();
        KS_TRY_VALUE(view, kafka::ClusterView::create(client));
        kafka::ReaderOptions reader_options;
        if (settings.is_bounded()) {
          reader_options.give_up_after = settings.startup_timeout;
          reader_options.is_final = true;
        }
        KS_TRY(add_offset_stores(settings, client, publisher));
        kafka::ReaderPool pool(client, reader_options, readers, clock);
        DirectSource source(view, pool, store, clock, source_options(settings, feeder, publisher));
        KS_TRY_VALUE(is_started, source.start(state.stored, state_dir, stop));
        if (!is_started) {
          return {};
        }
        for (Counter& counter : counters) {
          KS_TRY(runtime.start(
              [&counter, &blocks, feeder] { return count_blocks(counter, blocks, feeder); }));
        }
        if (publisher.has_targets()) {
          KS_TRY(runtime.start([&publisher, is_done = is_counted.get_token()]() -> Status {
            publisher.run(is_done);
            return {};
          }));
        }
        if (feeder != nullptr) {
          // A single batch can be finished only when all of the feed is there.
          const std::stop_token& until = settings.is_once ? stop.abort : stop.drain;
          KS_TRY(runtime.start([feeder, until] { return feeder->run(until); }));
        }
        BatchLoop loop(source, {&console}, counters, blocks, clock,
                       loop_options(settings, store.now()));
        KS_TRY(loop.start());
        while (true) {
          KS_TRY_VALUE(goes_on, loop.step(stop));
          if (!goes_on) {
            break;
          }
        }
        const CountTotals& totals = loop.totals();
        log::info("{} batches, {} records, {} words", loop.batches(), totals.records, totals.words);
        return {};
      },
      settings.stop_deadline);
  is_counted.request_stop();
  KS_TRY(is_run);
  blocks.close();
  runtime.request_stop();
  return runtime.join();
}

}  // namespace kstream
