// Records that the broker no longer has, or has never had, although the stream has yet to read
// them.
//
// Pure.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "model/batch.h"
#include "model/offset.h"

namespace kstream {

enum class OnDataLoss {
  kFail,  // end with 65: somebody has to decide
  kSkip,  // say it, count it, go on at the start of the log
};

// A position that lies outside of its log.
struct Loss {
  TopicPartition partition;
  Offset next = 0;
  LogBounds log;

  // Records that were never read; nothing when the log is not the one that the position is of.
  std::int64_t records() const { return next < log.start ? log.start - next : 0; }
};

std::vector<Loss> find_losses(const OffsetMap& next, const LogBoundsMap& logs);
// Of the ranges that are not empty, those that the logs do not have whole.
std::vector<Loss> find_losses(const BatchPlan& intent, const LogBoundsMap& logs);

// "test:0: offsets 100 to 4999 are gone (the log has 5000 to 9000)", or what else happened.
std::string describe(const Loss& loss);
// 65, for kFail.
Error data_loss(const std::vector<Loss>& losses);

}  // namespace kstream
