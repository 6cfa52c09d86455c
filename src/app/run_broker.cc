#include <fmt/format.h>
#include <unistd.h>

#include "app/run.h"
#include "kafka/embedded_broker.h"
#include "os/output.h"

namespace kstream {

Status run_broker(const Settings& settings, Signals& signals) {
  KS_TRY_VALUE(broker, kafka::EmbeddedBroker::start());
  for (const EmbeddedTopic& topic : settings.embedded_topics) {
    KS_TRY(broker->create_topic(topic.name, topic.partitions));
  }
  Output output(STDOUT_FILENO, "standard output");
  KS_TRY(output.write(fmt::format("bootstrap {}\n", broker->bootstrap())));
  while (!signals.wait(std::chrono::hours(1))) {
  }
  return {};
}

}  // namespace kstream
