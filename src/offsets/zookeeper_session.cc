#include "offsets/zookeeper_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "telemetry/log.h"

namespace kstream {
namespace {

// Kafka's old default. A silent server is given up, and the next one tried, after two thirds of it.
constexpr int kSessionMs = 6000;

void on_log(const char* line) {
  std::string_view text = line;
  // Time, process and thread stand in front of the level; some lines have an end of their own.
  text.remove_prefix(std::min(text.find("ZOO_"), text.size()));
  text = text.substr(0, text.find_last_not_of(" \n") + 1);
  log::debug("ZooKeeper client: {}", text);
}

// The connection has gone, or its session: asking again may help.
bool is_lost(int code) {
  return code == ZCONNECTIONLOSS || code == ZOPERATIONTIMEOUT || code == ZINVALIDSTATE ||
         code == ZSESSIONEXPIRED || code == ZSESSIONMOVED || code == ZCLOSING;
}

bool is_settled(int state) {
  return state == ZOO_CONNECTED_STATE || state == ZOO_EXPIRED_SESSION_STATE ||
         state == ZOO_AUTH_FAILED_STATE;
}

}  // namespace

Result<std::vector<ZooKeeperSession::Answer>> ZooKeeperSession::ask(
    const std::vector<Request>& requests, std::int64_t deadline_ms) {
  while (true) {
    KS_TRY(connect(deadline_ms));
    send(requests);
    if (!wait(deadline_ms, [this] { return missing_ == 0; })) {
      return give_up(requests.size());
    }
    if (std::none_of(answers_.begin(), answers_.end(),
                     [](const Answer& answer) { return is_lost(answer.code); })) {
      is_away_ = false;
      return std::move(answers_);
    }
  }
}

// Connected when it returns without error.
Status ZooKeeperSession::connect(std::int64_t deadline_ms) {
  while (true) {
    if (handle_ == nullptr) {
      KS_TRY(open());
    }
    if (!wait(deadline_ms, [this] { return is_settled(zoo_state(handle_.get())); })) {
      // The client goes on trying in the background. But a server that lost its data never takes a
      // client back that has seen them.
      if (was_connected_) {
        handle_.reset();
      }
      return away(fmt::format("no connection within {} ms", call_ms()));
    }
    const int state = zoo_state(handle_.get());
    if (state == ZOO_CONNECTED_STATE) {
      was_connected_ = true;
      return {};
    }
    handle_.reset();
    if (state == ZOO_AUTH_FAILED_STATE) {
      return Error{ExitCode::kNoPermission,
                   fmt::format("{}: the server refuses this client. Positions were neither read "
                               "nor published. kstream gives ZooKeeper no credentials; it needs a "
                               "server that wants none.",
                               name_)};
    }
    log::debug("{}: the session has expired, a new one is made", name_);
  }
}

Status ZooKeeperSession::open() {
  handle_.reset(zookeeper_init2(servers_.c_str(), on_event, kSessionMs, nullptr, this,
                                ZOO_NO_LOG_CLIENTENV, on_log));
  if (handle_ == nullptr) {
    return away(errno == ENOMEM ? "no memory for a client"
                                : "none of the servers' names can be resolved");
  }
  was_connected_ = false;
  // Otherwise its thread looks the names up each time that it wakes up; before it connects it does
  // in any case.
  zoo_set_servers_resolution_delay(handle_.get(), -1);
  return {};
}

void ZooKeeperSession::send(const std::vector<Request>& requests) {
  {
    std::lock_guard lock(mutex_);
    answers_.assign(requests.size(), {});
    missing_ = requests.size();
  }
  slots_.clear();
  slots_.reserve(requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const Slot& slot = slots_.emplace_back(Slot{this, i});
    if (const int code = send_one(requests[i], slot); code != ZOK) {
      take(slot, {code, {}});
    }
  }
}

int ZooKeeperSession::send_one(const Request& request, const Slot& slot) {
  const char* node = request.node.c_str();
  const char* value = request.value.data();
  const int size = static_cast<int>(request.value.size());
  switch (request.kind) {
    case Kind::kGet:
      return zoo_aget(handle_.get(), node, 0, on_value, &slot);
    case Kind::kSet:
      return zoo_aset(handle_.get(), node, value, size, -1, on_stat, &slot);
    case Kind::kCreate:
      return zoo_acreate(handle_.get(), node, value, size, &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT,
                         on_string, &slot);
  }
  return ZUNIMPLEMENTED;
}

void ZooKeeperSession::take(const Slot& slot, Answer answer) {
  std::lock_guard lock(mutex_);
  answers_[slot.number] = std::move(answer);
  if (--missing_ == 0) {
    changed_.notify_all();
  }
}

void ZooKeeperSession::on_event(zhandle_t*, int, int, const char*, void* session) {
  auto* self = static_cast<ZooKeeperSession*>(session);
  std::lock_guard lock(self->mutex_);
  self->changed_.notify_all();
}

void ZooKeeperSession::on_value(int code, const char* value, int size, const Stat*,
                                const void* slot) {
  const auto* place = static_cast<const Slot*>(slot);
  // A node without data has no value and the size -1.
  const std::size_t bytes = code == ZOK && size > 0 ? static_cast<std::size_t>(size) : 0;
  place->session->take(*place, {code, bytes == 0 ? std::string() : std::string(value, bytes)});
}

void ZooKeeperSession::on_stat(int code, const Stat*, const void* slot) {
  on_value(code, nullptr, 0, nullptr, slot);
}

void ZooKeeperSession::on_string(int code, const char*, const void* slot) {
  on_value(code, nullptr, 0, nullptr, slot);
}

template <class Condition>
bool ZooKeeperSession::wait(std::int64_t deadline_ms, Condition condition) {
  const std::chrono::milliseconds left(std::max<std::int64_t>(0, deadline_ms - clock_.steady_ms()));
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, left, condition);
}

// Late answers must not meet the next requests.
Error ZooKeeperSession::give_up(std::size_t asked) {
  std::size_t missing = 0;
  {
    std::lock_guard lock(mutex_);
    missing = missing_;
  }
  handle_.reset();
  return away(
      fmt::format("{} of {} requests not answered within {} ms", missing, asked, call_ms()));
}

Error ZooKeeperSession::away(std::string_view what) {
  is_away_ = true;
  return {ExitCode::kUnavailable,
          fmt::format("{}: {}. Positions were not read, or not all published. Check the address, "
                      "and that it serves there.",
                      name_, what),
          true};
}

}  // namespace kstream
