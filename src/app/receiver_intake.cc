// Receiver: members of a consumer group, a write-ahead log that makes safe what they receive, the
// position committed to the group.

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "app/feeder.h"
#include "app/intake.h"
#include "kafka/cluster_view.h"
#include "kafka/group_member.h"
#include "offsets/kafka_offsets.h"
#include "offsets/zookeeper_offsets.h"
#include "source/receiver_source.h"
#include "source/startup.h"
#include "telemetry/log.h"
#include "wal/write_ahead_log.h"

namespace kstream {
namespace {

constexpr const char* kLogFolder = "wal";
constexpr std::int64_t kFencedAgainMs = 60'000;

PositionOptions position_options(const Settings& settings) {
  PositionOptions options;
  options.topics = settings.topics;
  options.from = settings.from;
  return options;
}

ReceiverSourceOptions source_options(const Settings& settings, const Feeder* feeder) {
  ReceiverSourceOptions options;
  options.interval = settings.interval;
  options.is_bounded = settings.is_bounded();
  if (options.is_bounded && feeder != nullptr) {
    options.final_ends = [feeder] { return feeder->final_ends(); };
  }
  if (!options.is_bounded) {
    options.has_backpressure = settings.has_backpressure;
    options.initial_rate = static_cast<double>(settings.initial_rate);
  }
  return options;
}

// The topics that each member receives: a topic is received by as many as it has threads.
std::vector<std::vector<std::string>> topics_by_member(const Settings& settings) {
  std::vector<std::vector<std::string>> members;
  for (const std::string& topic : settings.topics) {
    const auto wanted = settings.threads_of.find(topic);
    const std::size_t threads = wanted == settings.threads_of.end() ? 1 : wanted->second;
    members.resize(std::max(members.size(), threads));
    for (std::size_t i = 0; i < threads; ++i) {
      members[i].push_back(topic);
    }
  }
  return members;
}

// For several threads. Two connections would not do: ZooKeeper's client has a buffer that all of a
// process write to.
class SharedStore final : public OffsetStore {
 public:
  explicit SharedStore(std::unique_ptr<OffsetStore> store) : store_(std::move(store)) {}

  Status publish(const OffsetMap& next) override {
    std::lock_guard lock(mutex_);
    return store_->publish(next);
  }
  Result<OffsetMap> read(std::span<const TopicPartition> partitions) override {
    std::lock_guard lock(mutex_);
    return store_->read(partitions);
  }
  const std::string& name() const override { return store_->name(); }

 private:
  const std::unique_ptr<OffsetStore> store_;
  std::mutex mutex_;
};

class ReceiverIntake final : public Intake {
 public:
  ReceiverIntake(const IntakeParts& parts, kafka::ClusterView view)
      : parts_(parts),
        view_(std::move(view)),
        finder_(view_, parts.clock, position_options(parts.settings)),
        topics_(topics_by_member(parts.settings)),
        on_abort_(parts.runtime.stop().abort, [this] { give_up(); }) {}

  Result<bool> start(const Stop& stop) override {
    std::optional<std::chrono::milliseconds> timeout;
    if (parts_.settings.is_bounded()) {
      timeout = parts_.settings.startup_timeout;
    }
    KS_TRY_VALUE(is_open, open_patiently([this] { return open(); }, timeout, parts_.clock, stop));
    if (!is_open) {
      return false;
    }
    if (log_ != nullptr) {
      KS_TRY(parts_.runtime.start([this] { return reception_->run_log(log_stop_.get_token()); }));
    } else {
      log::info(
          "no write-ahead log: offsets are committed after each batch; a restart may repeat "
          "the last one");
    }
    if (zookeeper_ != nullptr) {
      KS_TRY(parts_.runtime.start([this]() -> Status {
        reception_->run_publish(log_stop_.get_token());
        return {};
      }));
    }
    return start_members();
  }

  Source& source() override { return *source_; }
  BatchTime last_time_ms() const override { return source_->last_time_ms(); }
  bool has_plan() const override { return source_->has_plan(); }

  void finish() override {
    members_stop_.request_stop();
    std::unique_lock lock(mutex_);
    all_left_.wait(lock, [this] { return members_running_ == 0; });
  }
  bool may_have_rest() const override { return log_ != nullptr; }

 private:
  // Up to the first member. To be tried again after a transient error.
  Status open() {
    const Settings& settings = parts_.settings;
    // Each once: any of them may have failed the last time.
    if (identity_.stream.empty()) {
      KS_TRY(open_identity());
    }
    if (*settings.has_wal && log_ == nullptr) {
      KS_TRY(open_log());
    }
    // Last: where an IDENTITY is, there is a log. A start that was cut short left none of it.
    if (parts_.state.directory && !parts_.state.identity) {
      KS_TRY(save_identity(parts_.state.files, parts_.state.path(), identity_));
      parts_.state.identity = identity_;
    }
    if (group_ == nullptr && zookeeper_ == nullptr) {
      KS_TRY(open_offsets());
    }
    if (!source_) {
      GroupStartOptions starts;
      starts.stream = identity_.stream;
      starts.has_log = log_ != nullptr;
      starts.on_data_loss = settings.skips_lost_records ? OnDataLoss::kSkip : OnDataLoss::kFail;
      starts_.emplace(view_, finder_, starts);
      ReceptionOptions options;
      options.members = topics_.size();
      options.max_rate = settings.max_rate;
      reception_.emplace(*starts_, log_.get(), zookeeper_.get(), parts_.clock, options);
      source_.emplace(*reception_, log_.get(), zookeeper_ != nullptr ? *zookeeper_ : *group_,
                      parts_.clock, source_options(settings, parts_.feeder));
    }
    KS_TRY_VALUE(partitions, finder_.partitions());
    if (settings.is_bounded() && parts_.feeder == nullptr) {
      KS_TRY_VALUE(ends, view_.log_ends(partitions));
      reception_->end_at(ends);
      source_->end_at(std::move(ends));
    }
    partitions_ = partitions.size();
    starts_->note_existing(std::move(partitions));
    return {};
  }

  Status open_identity() {
    State& state = parts_.state;
    Identity identity = identity_of(parts_.settings);
    if (state.directory) {
      KS_TRY_VALUE(cluster, view_.cluster_id());
      identity.cluster = std::move(cluster);
      if (state.identity) {
        KS_TRY(check_same(*state.identity, identity, state.path()));
        identity = *state.identity;
      }
    }
    identity_ = std::move(identity);
    return {};
  }

  Status open_log() {
    State& state = parts_.state;
    const std::string directory = state.path() + "/" + kLogFolder;
    wal::Options options;
    options.bytes_max = static_cast<std::uint64_t>(parts_.settings.wal_bytes_max);
    const bool is_there = state.identity.has_value();
    const auto open = is_there ? wal::WriteAheadLog::open : wal::WriteAheadLog::create;
    KS_TRY_VALUE(log, open(state.files, parts_.clock, directory, identity_.stream, options));
    log_ = std::move(log);
    if (is_there) {
      log::info("{}: going on after batch {}", state.path(), log_->last_batch());
    }
    return {};
  }

  Status open_offsets() {
    const std::string& group = *parts_.settings.group;
    if (parts_.settings.zookeeper) {
      KS_TRY_VALUE(zookeeper, ZooKeeperOffsets::create(*parts_.settings.zookeeper, group));
      zookeeper_ = std::make_unique<SharedStore>(std::move(zookeeper));
      return {};
    }
    KS_TRY_VALUE(offsets, KafkaOffsets::create(parts_.client, group));
    group_ = std::move(offsets);
    return {};
  }

  Result<bool> start_members() {
    std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < topics_.size(); ++i) {
      KS_TRY(parts_.runtime.start([this, i] { return run_member(i); }));
      ++members_running_;
    }
    return true;
  }

  Status run_member(std::size_t i) {
    Status status = receive(i);
    std::lock_guard lock(mutex_);
    if (--members_running_ == 0) {
      log_stop_.request_stop();
      all_left_.notify_all();
    }
    return status;
  }

  // A member may be fenced by what is left of itself, when a commit overtakes its own joining again
  // after an outage: that happens once. Two processes of one name fence each other time and again.
  Status receive(std::size_t i) {
    std::optional<std::int64_t> fenced_ms;
    while (true) {
      KS_TRY_VALUE(member, kafka::GroupMember::create(parts_.client, member_options(i), *reception_,
                                                      parts_.clock));
      Status received = member->run(members_stop_.get_token());
      const std::int64_t now_ms = parts_.clock.steady_ms();
      if (received.ok() || !received.error().is_transient ||
          (fenced_ms && now_ms - *fenced_ms < kFencedAgainMs)) {
        return received;
      }
      log::warning("{} It joins once more.", received.error().text);
      fenced_ms = now_ms;
    }
  }

  kafka::GroupOptions member_options(std::size_t i) const {
    kafka::GroupOptions options;
    options.group = *parts_.settings.group;
    if (parts_.state.directory) {
      options.instance = fmt::format("{}-{}", identity_.stream, i);
    }
    options.topics = topics_[i];
    options.stream = identity_.stream;
    options.block_interval = parts_.settings.block_interval;
    options.discover_every = parts_.settings.discover_every;
    options.prefetch_bytes = parts_.prefetch_bytes / topics_.size();
    options.partitions = partitions_ / topics_.size() + 1;
    options.has_headers = parts_.has_headers;
    return options;
  }

  void give_up() {
    members_stop_.request_stop();
    log_stop_.request_stop();
    if (reception_) {
      reception_->abandon();
    }
  }

  const IntakeParts parts_;
  kafka::ClusterView view_;
  PositionFinder finder_;
  const std::vector<std::vector<std::string>> topics_;
  Identity identity_;
  std::size_t partitions_ = 0;
  std::unique_ptr<wal::WriteAheadLog> log_;
  std::unique_ptr<OffsetStore> zookeeper_;  // if that is where the group's positions are
  std::unique_ptr<OffsetStore> group_;      // otherwise
  std::optional<GroupStart> starts_;
  std::optional<Reception> reception_;
  std::optional<ReceiverSource> source_;

  std::stop_source members_stop_;
  std::stop_source log_stop_;  // after the last member has left
  std::mutex mutex_;
  std::condition_variable all_left_;
  std::size_t members_running_ = 0;  // guarded by mutex_
  std::stop_callback<std::function<void()>> on_abort_;
};

}  // namespace

Result<std::unique_ptr<Intake>> make_receiver_intake(const IntakeParts& parts) {
  KS_TRY_VALUE(view, kafka::ClusterView::create(parts.client));
  return std::unique_ptr<Intake>(std::make_unique<ReceiverIntake>(parts, std::move(view)));
}

}  // namespace kstream
