// Direct: offset ranges, read by a pool of readers; the position in the state directory.

#include <algorithm>
#include <optional>
#include <utility>

#include "app/feeder.h"
#include "app/intake.h"
#include "checkpoint/checkpoint_store.h"
#include "kafka/cluster_view.h"
#include "kafka/reader_pool.h"
#include "offsets/kafka_offsets.h"
#include "offsets/position_publisher.h"
#include "offsets/zookeeper_offsets.h"
#include "source/direct_source.h"

namespace kstream {
namespace {

// Whether the group gets its positions in a topic's transactions, with the counts: the same
// positions, published later by themselves, would take it back for a moment.
bool is_group_in_transactions(const Settings& settings) {
  return settings.group &&
         std::any_of(settings.outputs.begin(), settings.outputs.end(),
                     [](const OutputTarget& output) { return output.kind == OutputKind::kKafka; });
}

DirectSourceOptions source_options(const Settings& settings, const Feeder* feeder,
                                   PositionPublisher& publisher, OffsetStore* group) {
  DirectSourceOptions options;
  options.positions.topics = settings.topics;
  options.positions.from = settings.from;
  options.positions.until = settings.until;
  options.positions.ranges = settings.ranges;
  options.watch.discover_every = settings.discover_every;
  options.watch.on_data_loss = settings.skips_lost_records ? OnDataLoss::kSkip : OnDataLoss::kFail;
  options.watch.takes_new_partitions = settings.ranges.empty();
  options.identity = identity_of(settings);
  if (publisher.has_targets()) {
    options.publisher = &publisher;
    group = &publisher.first();
  }
  if (group != nullptr) {
    options.positions.committed = [group](std::span<const TopicPartition> partitions) {
      return group->read(partitions);
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

kafka::ReaderOptions reader_options(const IntakeParts& parts) {
  const Settings& settings = parts.settings;
  kafka::ReaderOptions options;
  options.prefetch_bytes = parts.prefetch_bytes;
  options.has_headers = parts.has_headers;
  if (settings.is_bounded()) {
    options.give_up_after = settings.startup_timeout;
    options.is_final = true;
  }
  return options;
}

// Where positions are published, and where `--from committed` asks: ZooKeeper first, if it is
// named. A group that is only for asking goes to `group`.
Status add_offset_stores(const Settings& settings, const kafka::ClientConfig& client,
                         PositionPublisher& publisher, std::unique_ptr<OffsetStore>& group) {
  if (settings.zookeeper) {
    KS_TRY_VALUE(zookeeper, ZooKeeperOffsets::create(*settings.zookeeper, *settings.group));
    publisher.add(std::move(zookeeper));
  }
  if (settings.group) {
    KS_TRY_VALUE(store, KafkaOffsets::create(client, *settings.group));
    if (is_group_in_transactions(settings)) {
      group = std::move(store);
    } else {
      publisher.add(std::move(store));
    }
  }
  return {};
}

class DirectIntake final : public Intake {
 public:
  DirectIntake(const IntakeParts& parts, kafka::ClusterView view, std::size_t readers)
      : parts_(parts),
        view_(std::move(view)),
        pool_(parts.client, reader_options(parts), readers, parts.clock),
        publisher_(parts.clock) {}

  Result<bool> start(const Stop& stop) override {
    State& state = parts_.state;
    std::optional<StoredState> stored;
    if (state.directory) {
      KS_TRY(check_source());
      store_ = CheckpointStore(state.files, state.path());
      KS_TRY_VALUE(found, read_state(state.files, state.path()));
      stored = std::move(found);
    }
    KS_TRY(add_offset_stores(parts_.settings, parts_.client, publisher_, group_));
    source_.emplace(view_, pool_, store_, parts_.clock,
                    source_options(parts_.settings, parts_.feeder, publisher_, group_.get()));
    KS_TRY_VALUE(is_started, source_->start(stored, state.path(), stop));
    if (is_started && publisher_.has_targets()) {
      KS_TRY(parts_.runtime.start([this, is_done = is_done_.get_token()]() -> Status {
        publisher_.run(is_done);
        return {};
      }));
    }
    return is_started;
  }

  Source& source() override { return *source_; }
  BatchTime last_time_ms() const override {
    return has_plan() ? store_.now().intent->time_ms : store_.now().committed.time_ms;
  }
  bool has_plan() const override { return store_.now().intent.has_value(); }
  void finish() override { is_done_.request_stop(); }
  bool may_have_rest() const override { return false; }

 private:
  // Before its files are read: a receiver has others. The cluster is asked for later.
  Status check_source() {
    const State& state = parts_.state;
    if (!state.identity) {
      return {};
    }
    Identity wanted = identity_of(parts_.settings);
    wanted.cluster = state.identity->cluster;
    return check_same(*state.identity, wanted, state.path());
  }

  const IntakeParts parts_;
  kafka::ClusterView view_;
  kafka::ReaderPool pool_;
  CheckpointStore store_;
  PositionPublisher publisher_;
  std::unique_ptr<OffsetStore> group_;  // that is not published to
  std::optional<DirectSource> source_;
  std::stop_source is_done_;
};

}  // namespace

Result<std::unique_ptr<Intake>> make_direct_intake(const IntakeParts& parts) {
  KS_TRY_VALUE(view, kafka::ClusterView::create(parts.client));
  return std::unique_ptr<Intake>(std::make_unique<DirectIntake>(
      parts, std::move(view), parts.settings.readers.value_or(default_readers())));
}

}  // namespace kstream
