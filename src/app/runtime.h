// Owns the threads: each runs one loop; the first that fails stops all.
//
// Thread: main.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "base/result.h"
#include "model/stop.h"
#include "os/signals.h"

namespace kstream {

// Reading threads, each with a counting one, that keep this machine's cores busy: one for two
// cores, since the client's own thread that takes the answers apart needs the other half.
std::size_t default_readers();

class Runtime {
 public:
  explicit Runtime(Signals& signals) : signals_(signals) {}
  ~Runtime();

  Stop stop() const { return {drain_.get_token(), abort_.get_token()}; }

  // A thread beside the main loop; the main loop may call it, too. Errors: 71.
  Status start(std::function<Status()> loop);

  // Runs the main loop on a thread of its own and waits for its end. SIGINT and SIGTERM request a
  // drain, and after `deadline`, or a second signal, an abort. Errors: 71; the loop's own error
  // comes from join().
  Status run(std::function<Status()> loop, std::chrono::milliseconds deadline);

  // What still runs when the main loop has ended may end at once.
  void request_stop();

  // Waits for all threads, which the caller has given a reason to end. The first failure of any.
  Status join();

 private:
  void fail(const Status& status);
  void watch_signals(std::chrono::milliseconds deadline);

  Signals& signals_;
  std::stop_source drain_;
  std::stop_source abort_;
  std::stop_source main_is_done_;
  std::mutex mutex_;
  std::vector<std::thread> threads_;  // guarded by mutex_ until the main loop has ended
  std::optional<Error> failure_;      // guarded by mutex_
};

}  // namespace kstream
