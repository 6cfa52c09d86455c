#include "os/signals.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "base/check.h"

namespace kstream {
namespace {

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

Signals::Signals() {
  const sigset_t set = stop_signals();
  KS_CHECK(pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0);
  KS_CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
}

std::optional<int> Signals::wait(std::chrono::milliseconds timeout) {
  const sigset_t set = stop_signals();
  const timespec limit{timeout.count() / 1000, (timeout.count() % 1000) * 1'000'000};
  const int number = sigtimedwait(&set, nullptr, &limit);
  if (number < 0) {
    return std::nullopt;
  }
  return number;
}

void Signals::die() {
  signal(SIGTERM, SIG_DFL);
  const sigset_t set = stop_signals();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  while (true) {
    raise(SIGTERM);
  }
}

}  // namespace kstream
