#include "kafka/client.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <future>
#include <thread>
#include <utility>

#include "telemetry/log.h"

namespace kstream::kafka {
namespace {

constexpr auto kDestroyMax = std::chrono::seconds(5);

// Of every client. Each may be set by the user, except for the refused ones.
const Properties& defaults() {
  static const Properties kDefaults = {
      {"client.id", "kstream"},
      {"socket.nagle.disable", "true"},
      {"socket.keepalive.enable", "true"},
      {"reconnect.backoff.max.ms", "1000"},  // a broker that is back is found within a second
      {"log.connection.close", "false"},
  };
  return kDefaults;
}

const Properties& consumer_defaults() {
  static const Properties kDefaults = {
      {"group.id", "kstream"},  // assign() wants a name, but no group is ever joined
      {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},
      {"auto.offset.reset", "error"},
      {"enable.partition.eof", "true"},
      {"check.crcs", "true"},
      {"allow.auto.create.topics", "false"},
      {"fetch.error.backoff.ms", "50"},
      // How long a broker holds an empty answer back; also the delay until the end of a log is
      // known.
      {"fetch.wait.max.ms", "100"},
  };
  return kDefaults;
}

const Properties& producer_defaults() {
  static const Properties kDefaults = {
      {"enable.idempotence", "true"},
      {"linger.ms", "5"},
      {"message.max.bytes", "17825792"},  // a record of 16 MiB and what is around it
      {"queue.buffering.max.kbytes", "32768"},
  };
  return kDefaults;
}

void set(rd_kafka_conf_t* conf, const Properties& properties) {
  for (const auto& [name, value] : properties) {
    std::array<char, 512> reason{};
    // Every value has been checked, or is ours: what an older library does not know is left out.
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), reason.data(), reason.size()) !=
        RD_KAFKA_CONF_OK) {
      log::debug("property {}={} not set: {}", name, value, reason.data());
    }
  }
}

void on_error(rd_kafka_t* client, int code, const char* reason, void* opaque) {
  auto* self = static_cast<Client*>(opaque);
  const auto error = static_cast<rd_kafka_resp_err_t>(code);
  log::debug("{}: {}: {}", rd_kafka_name(client), rd_kafka_err2name(error), reason);
  // "all brokers down" says less than the complaint of the broker that came before it.
  if (error != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
    self->note_complaint(reason);
  }
}

void on_log(const rd_kafka_t* client, int level, const char* facility, const char* text) {
  log::debug("{} [{} {}]: {}", client != nullptr ? rd_kafka_name(client) : "librdkafka", level,
             facility, text);
}

}  // namespace

Result<std::unique_ptr<Client>> Client::create(Role role, const ClientConfig& config,
                                               const Properties& own,
                                               DeliveryCallback on_delivery) {
  ConfHandle conf(rd_kafka_conf_new());
  const bool is_consumer = role != Role::kProducer;
  set(conf.get(), defaults());
  set(conf.get(), is_consumer ? consumer_defaults() : producer_defaults());
  set(conf.get(), config.properties);
  set(conf.get(), {{"bootstrap.servers", config.brokers}});
  if (is_consumer) {
    set(conf.get(),
        {{"isolation.level", config.is_read_uncommitted ? "read_uncommitted" : "read_committed"}});
  }
  set(conf.get(), own);

  std::unique_ptr<Client> self(new Client(config.brokers));
  rd_kafka_conf_set_opaque(conf.get(), self.get());
  rd_kafka_conf_set_error_cb(conf.get(), on_error);
  rd_kafka_conf_set_log_cb(conf.get(), on_log);
  if (role == Role::kMember) {
    rd_kafka_conf_set_events(conf.get(), RD_KAFKA_EVENT_REBALANCE);
  }
  if (on_delivery != nullptr) {
    rd_kafka_conf_set_dr_msg_cb(conf.get(), on_delivery);
  }
  std::array<char, 512> reason{};
  self->client_ = rd_kafka_new(is_consumer ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER, conf.get(),
                               reason.data(), reason.size());
  if (self->client_ == nullptr) {
    const bool is_threads = rd_kafka_last_error() == RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE;
    return Error{is_threads ? ExitCode::kOsError : ExitCode::kConfig,
                 fmt::format("brokers {}: no Kafka client could be made: {}. Nothing was read. "
                             "Check the properties given with -X.",
                             config.brokers, reason.data())};
  }
  static_cast<void>(conf.release());  // rd_kafka_new has taken it over
  return self;
}

// Before 2.6.1 librdkafka waits for ever here when a partition that it has read was deleted (its
// issue 4724). Then the client is left behind, with its threads: the program is about to end, or
// makes another one.
Client::~Client() {
  if (client_ == nullptr) {
    return;
  }
  rd_kafka_set_log_level(client_, 0);
  std::promise<void> promise;
  const std::future<void> is_destroyed = promise.get_future();
  std::thread([client = client_, done = std::move(promise)]() mutable {
    // A member has left its group before; closing could wait for a broker.
    rd_kafka_destroy_flags(client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    done.set_value();
  }).detach();
  if (is_destroyed.wait_for(kDestroyMax) != std::future_status::ready) {
    log::warning("a Kafka client does not end; it is left behind");
  }
}

std::string Client::last_complaint() const {
  std::lock_guard lock(mutex_);
  return last_complaint_;
}

void Client::note_complaint(std::string text) {
  std::lock_guard lock(mutex_);
  last_complaint_ = std::move(text);
}

bool has_property(const char* name, const char* value) {
  const ConfHandle conf(rd_kafka_conf_new());
  return rd_kafka_conf_set(conf.get(), name, value, nullptr, 0) == RD_KAFKA_CONF_OK;
}

}  // namespace kstream::kafka
