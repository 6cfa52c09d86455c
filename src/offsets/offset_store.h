// Where positions are published, for other programs: lag tools, an older consumer that takes over.
//
// Contract: publishing is a notice, kstream's own state does not rest on it. A position is the
//           offset of the next record, whatever the writers before meant by it.
// Thread: one at a time.
// Errors: transient ones (69) may pass: the next publish() carries all that a failed one did. A
//         failed publish() may have published some of the positions.
// Limits: a call waits 5 s at most for an answer. While the service stays away, each further
//         publish() waits half a second only, so that it does not hold up the job. To give a
//         silent ZooKeeper up takes up to 1.5 s more; its names are looked up within a call, for
//         as long as the machine's resolver takes.
#pragma once

#include <span>
#include <string>

#include "base/result.h"
#include "model/offset.h"

namespace kstream {

class OffsetStore {
 public:
  virtual ~OffsetStore() = default;

  // Each of these partitions has this position there; others keep theirs.
  virtual Status publish(const OffsetMap& next) = 0;

  // The positions there. A partition without one is absent.
  virtual Result<OffsetMap> read(std::span<const TopicPartition> partitions) = 0;

  // What messages call it: "group 'NAME'", "ZooKeeper HOST:PORT/chroot, group 'NAME'".
  virtual const std::string& name() const = 0;
};

}  // namespace kstream
