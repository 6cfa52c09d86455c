// A member of a consumer group: receives what the group gives it, hands it over in blocks, commits
// what its receiver says is safe.
//
// Contract: a position is committed only when it is safe, as the partition's own and never
//   backwards. Before the first record of a partition is handed over, its start has been committed:
//   a claim, whose metadata says by whom. When partitions are taken away, the feeding stops first,
//   then the receiver makes safe what it has, then that is committed, then they are released; after
//   a loss nothing is committed.
// Thread: its own runs everything; nothing here waits while a position can be asked for.
// Errors: 65 for records that the broker no longer has or that are damaged, 75, transient, when
//   another member uses the same instance id, 77 when the group or a topic is forbidden; others are
//   waited for. After an error its partitions are lost, and the member is of no more use.
// Limits: prefetch_bytes of records wait in the client, as in RangeReader.
// Source: docs/decisions/0007, librdkafka 2.0.2's own documentation of rd_kafka_assignment_lost.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "kafka/client.h"
#include "kafka/partition_queue.h"
#include "kafka/receiver.h"
#include "os/clock.h"
#include "telemetry/every_minute.h"

namespace kstream::kafka {

struct GroupOptions {
  std::string group;
  std::string instance;  // the member's name over restarts; empty: it has none
  std::vector<std::string> topics;
  std::string stream;                                // who commits: the metadata of each commit
  std::chrono::milliseconds block_interval{200};     // how long a record waits for others at most
  std::chrono::milliseconds discover_every{30'000};  // new partitions and topics are looked for
  std::size_t prefetch_bytes = 32 * 1024 * 1024;
  std::size_t partitions = 1;  // about as many will be its own
  bool has_headers = false;    // records come with their headers
};

class GroupMember {
 public:
  // Everything referred to outlives the member.
  static Result<std::unique_ptr<GroupMember>> create(const ClientConfig& config,
                                                     const GroupOptions& options,
                                                     Receiver& receiver, Clock& clock);
  ~GroupMember();

  // Joins, and receives until `stop` is requested; then leaves with all that is safe committed.
  Status run(const std::stop_token& stop);

 private:
  struct Partition {
    Partition(rd_kafka_t* client, const OffsetRange& wanted, Wakeup& wakeup)
        : queue(client, wanted.partition, wakeup),
          until(wanted.until),
          covered(wanted.from),
          next(wanted.from) {}

    PartitionQueue queue;
    const Offset until;  // no more than this is wanted
    Offset covered;      // up to here it has been handed over
    Offset next;         // up to here it has been taken
    BlockPtr block;      // with the records between
    std::int64_t block_since_ms = 0;
    std::optional<Offset> sent;          // in the last commit
    std::optional<Offset> acknowledged;  // by the coordinator
    bool is_done() const { return next >= until; }
  };
  // A partition's records on their way from its queue to the blocks.
  struct Draining {
    GroupMember* member;
    Partition* partition;
    Status status;
  };
  using Partitions = std::map<TopicPartition, std::unique_ptr<Partition>>;

  GroupMember(std::unique_ptr<Client> client, GroupOptions options, Receiver& receiver,
              Clock& clock);

  Status receive(const std::stop_token& stop);
  Status subscribe();
  Status leave();

  // The group's own events: rebalances, errors.
  Status serve_events(const std::stop_token& stop);
  Status take_event(rd_kafka_event_t* event, const std::stop_token& stop);
  Status take_error(rd_kafka_event_t* event);
  Status check_alive();
  Status assign(const rd_kafka_topic_partition_list_t* given, const std::stop_token& stop);
  Result<CommittedMap> committed(const rd_kafka_topic_partition_list_t* given);
  void look_at_doubtful();
  Status assign_at(std::span<const OffsetRange> ranges);
  Status release();

  // Takes what is there. True when it made progress.
  Result<bool> drain_all();
  Result<bool> drain(Partition& partition);
  void take(Partition& partition, const RecordView& record);
  Status take_partition_event(Partition& partition, const rd_kafka_message_t& event);
  void stop_fetching(const Partition& partition);
  Status go_to_moved();
  void hand_over(Partition& partition);
  void hand_over_due();
  void wait();

  Status commit_due();
  Status commit_rest();  // waits for the answer, a while
  Status send_commit();
  Status take_answers(std::chrono::milliseconds longest);
  Status commit_failed(rd_kafka_resp_err_t code, const rd_kafka_topic_partition_list_t& list);

  bool may_take();
  std::string* headers_place() { return options_.has_headers ? &headers_ : nullptr; }
  static void on_message(rd_kafka_message_t* message, void* draining) noexcept;

  const std::unique_ptr<Client> client_;
  const GroupOptions options_;
  Receiver& receiver_;
  Clock& clock_;
  Wakeup wakeup_;
  const QueueHandle events_;
  const QueueHandle answers_;  // to commits
  Partitions partitions_;
  std::vector<TopicPartition> names_;  // of partitions_
  bool is_commit_under_way_ = false;
  std::int64_t next_commit_ms_ = 0;
  std::int64_t next_recommit_ms_ = 0;
  std::int64_t next_look_ms_ = 0;
  OffsetMap moved_;          // partitions that are to go on elsewhere
  std::size_t turn_ = 0;     // whose it is to be taken from: none waits for ever
  std::int64_t now_ms_ = 0;  // steady, of this round
  double allowed_ = 0;       // records, by the rate
  std::string headers_;      // of the record in hand
  EveryMinute complaint_;
};

}  // namespace kstream::kafka
