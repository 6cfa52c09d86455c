// A connection to ZooKeeper that mends itself, for requests that may be repeated.
//
// Thread: one at a time. The C client has two of its own for each session; what they share with the
//         caller is behind a mutex.
// Errors: 69, transient: nobody answers; 77: the server refuses this client.
// Limits: a call waits kCallMs for all of its answers, connecting included; kCallWhileAwayMs if the
//         call before it got none. A connection whose answers do not come is closed, which takes
//         the client up to 1.5 s.
// Source: the C client 3.8.0. Its synchronous calls have no time limit of their own. It connects
//         anew by itself, but an expired session needs a new handle. Its log callback knows no
//         context, so what it complained of cannot be part of an error here.
#pragma once

#include <zookeeper/zookeeper.h>

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "os/clock.h"

namespace kstream {

class ZooKeeperSession {
 public:
  static constexpr int kCallMs = 5000;
  static constexpr int kCallWhileAwayMs = 500;

  enum class Kind { kGet, kSet, kCreate };
  struct Request {
    Kind kind;
    std::string node;
    std::string value;
  };
  struct Answer {
    int code = ZOK;  // one of ZOO_ERRORS
    std::string value;
  };

  // `servers` as in ZooKeeperAddress, `name` for messages. Connects with the first call.
  ZooKeeperSession(std::string servers, std::string name)
      : servers_(std::move(servers)), name_(std::move(name)) {}

  // By when a call that begins now has its answers.
  std::int64_t deadline_ms() { return clock_.steady_ms() + call_ms(); }

  // One answer for each request. The server works on them in their order; when the connection is
  // lost meanwhile, all are sent again.
  Result<std::vector<Answer>> ask(const std::vector<Request>& requests, std::int64_t deadline_ms);

 private:
  struct Slot {
    ZooKeeperSession* session;
    std::size_t number;
  };
  struct Closer {
    void operator()(zhandle_t* handle) const { zookeeper_close(handle); }
  };

  static void on_event(zhandle_t* handle, int type, int state, const char* node, void* session);
  static void on_value(int code, const char* value, int size, const Stat* stat, const void* slot);
  static void on_stat(int code, const Stat* stat, const void* slot);
  static void on_string(int code, const char* text, const void* slot);

  int call_ms() const { return is_away_ ? kCallWhileAwayMs : kCallMs; }
  Status connect(std::int64_t deadline_ms);
  Status open();
  void send(const std::vector<Request>& requests);
  int send_one(const Request& request, const Slot& slot);
  void take(const Slot& slot, Answer answer);
  template <class Condition>
  bool wait(std::int64_t deadline_ms, Condition condition);
  Error give_up(std::size_t asked);
  Error away(std::string_view what);

  const std::string servers_;
  const std::string name_;
  SystemClock clock_;
  bool is_away_ = false;        // the last call got no answers
  bool was_connected_ = false;  // the present handle, at some time

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Answer> answers_;
  std::size_t missing_ = 0;

  std::vector<Slot> slots_;  // written only while no request is under way
  // The last member: closing it ends the threads that call back.
  std::unique_ptr<zhandle_t, Closer> handle_;
};

}  // namespace kstream
