// Where a member of a group starts with a partition, given where the group is, who took it there,
// and what an earlier run of this stream has in its log.
//
// Contract: a record that the log has is not received again, one that the group's committed offset
//   says is done elsewhere is not received, and no other is left out. What may have been counted
//   twice, here and by another member, is reported.
// Thread: any; one call at a time.
// Errors: 65 for records that are lost, unless they may be skipped, and when the log has lost some
//   that it had been given; transient ones while a broker does not answer.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "kafka/cluster_view.h"
#include "kafka/receiver.h"
#include "model/offset.h"
#include "source/data_loss.h"
#include "source/positions.h"

namespace kstream {

// What this stream knows of a partition by its own log.
struct HeldPosition {
  Offset end = 0;                      // of what the log has
  std::optional<Offset> acknowledged;  // our last commit that was taken
};

struct StartDecision {
  Offset start = 0;
  std::optional<OffsetRange> possible_repeats;
};

// Pure. `otherwise` is where to start if neither says. Errors: 65, see above.
Result<StartDecision> decide_start(const TopicPartition& partition,
                                   const std::optional<kafka::Committed>& committed,
                                   const std::optional<HeldPosition>& held,
                                   const std::string& stream, bool has_log, Offset otherwise);

// Finds starts; in a test, without a cluster.
class StartFinder {
 public:
  virtual ~StartFinder() = default;

  // Where each starts.
  virtual Result<OffsetMap> find(const kafka::CommittedMap& committed,
                                 const std::map<TopicPartition, HeldPosition>& held) = 0;
  // The broker no longer has the offset. Where to go on, if one may.
  virtual Result<Offset> skip_lost(const TopicPartition& partition, Offset wanted) = 0;
  // Whether this stream has committed it.
  virtual bool is_own(const kafka::Committed& committed) const = 0;
  // Records that are counted here, of which the group does not know.
  virtual void report_possible_repeats(const OffsetRange& range) = 0;
};

struct GroupStartOptions {
  std::string stream;  // this stream's uuid
  bool has_log = false;
  OnDataLoss on_data_loss = OnDataLoss::kFail;
};

class GroupStart final : public StartFinder {
 public:
  // `finder` says where to start with what the group has never been at. Everything referred to
  // outlives it.
  GroupStart(kafka::ClusterView& view, PositionFinder& finder, GroupStartOptions options);

  // These partitions existed when the run began. Others are new: they start at their beginning.
  void note_existing(std::vector<TopicPartition> partitions);

  Result<OffsetMap> find(const kafka::CommittedMap& committed,
                         const std::map<TopicPartition, HeldPosition>& held) override;
  Result<Offset> skip_lost(const TopicPartition& partition, Offset wanted) override;
  bool is_own(const kafka::Committed& committed) const override {
    return committed.metadata == options_.stream;
  }
  void report_possible_repeats(const OffsetRange& range) override;

 private:
  Result<OffsetMap> otherwise(const LogBoundsMap& logs);
  Result<Offset> accept(const TopicPartition& partition, Offset start, const LogBounds& log);

  kafka::ClusterView& view_;
  PositionFinder& finder_;
  const GroupStartOptions options_;
  std::mutex mutex_;
  std::set<TopicPartition> existing_;
};

}  // namespace kstream
