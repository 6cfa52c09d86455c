// Where a run begins and where it ends: places as people name them, made numbers by asking the
// cluster.
//
// Thread: the batch thread.
// Errors: those of ClusterView; 64 and 65 for places that the logs do not have.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "kafka/cluster_view.h"
#include "model/offset.h"
#include "os/clock.h"

namespace kstream {

struct PositionOptions {
  std::vector<std::string> topics;
  Place from = Latest{};
  std::optional<Place> until;       // nothing: never ends
  std::vector<OffsetRange> ranges;  // exactly these instead of from and until, if there are any
  // The committed offsets of the group, for GroupPosition; partitions without one are absent.
  std::function<Result<OffsetMap>(std::span<const TopicPartition>)> committed;
};

struct Positions {
  OffsetMap next;
  std::optional<OffsetMap> final_ends;
};

class PositionFinder {
 public:
  PositionFinder(kafka::ClusterView& view, Clock& clock, PositionOptions options)
      : view_(view), clock_(clock), options_(std::move(options)) {}

  // The positions of a first start; `stored` are those of an earlier run. A topic that an earlier
  // call did not find has no past: `latest` is its beginning.
  Result<Positions> find(const OffsetMap* stored);

  // All partitions of the topics. Errors: 66, transient, when a topic is not there.
  Result<std::vector<TopicPartition>> partitions();
  // Where each of these logs is begun without any state.
  Result<OffsetMap> start(const LogBoundsMap& logs);

  // The partitions that there are now, of those topics that exist.
  Result<std::vector<TopicPartition>> partitions_now();

 private:
  Result<Positions> find_ranges(const LogBoundsMap& logs);
  Result<OffsetMap> at(const Place& place, const LogBoundsMap& logs);
  Status note_missing();

  kafka::ClusterView& view_;
  Clock& clock_;
  const PositionOptions options_;
  std::set<std::string> missed_;  // topics that were not there when first asked for
};

}  // namespace kstream
