// librdkafka's error codes as kstream's: which exit code, and whether waiting helps.
#pragma once

#include <librdkafka/rdkafka.h>

#include <string_view>

#include "base/result.h"
#include "kafka/client.h"

namespace kstream::kafka {

// "SUBJECT: what the client says. CONSEQUENCE", with the broker's own complaint where there is one.
Error to_error(const Client& client, rd_kafka_resp_err_t code, std::string_view subject,
               std::string_view consequence);

// True for what passes by itself: no connection, elections, time-outs.
bool is_transient(rd_kafka_resp_err_t code);

}  // namespace kstream::kafka
