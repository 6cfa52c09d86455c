// One librdkafka client, with what it last complained of.
//
// Thread: any, as librdkafka's.
// Errors: 64 or 78 for properties that do not go together, 71 when there are no threads for it.
// Source: the measured traps behind each property are in docs/decisions/0003.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "kafka/client_config.h"
#include "kafka/handles.h"

namespace kstream::kafka {

// Called inside the producer's own poll calls for each record, sent or given up.
using DeliveryCallback = void (*)(rd_kafka_t*, const rd_kafka_message_t*, void*);

enum class Role {
  kConsumer,  // reads what it is told to
  kMember,    // of a group, whose rebalances come as events
  kProducer,
};

class Client {
 public:
  // `own` are the properties of the caller's use; they win over the user's.
  static Result<std::unique_ptr<Client>> create(Role role, const ClientConfig& config,
                                                const Properties& own,
                                                DeliveryCallback on_delivery = nullptr);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  rd_kafka_t* get() const { return client_; }
  const std::string& brokers() const { return brokers_; }

  // Why brokers do not answer, in librdkafka's words; empty if it has not complained.
  std::string last_complaint() const;
  void note_complaint(std::string text);

 private:
  explicit Client(std::string brokers) : brokers_(std::move(brokers)) {}

  const std::string brokers_;
  rd_kafka_t* client_ = nullptr;
  mutable std::mutex mutex_;
  std::string last_complaint_;
};

// Whether the linked librdkafka knows a property.
bool has_property(const char* name, const char* value);

}  // namespace kstream::kafka
