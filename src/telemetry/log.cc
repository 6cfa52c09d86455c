#include "telemetry/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

namespace kstream::log {
namespace {

spdlog::level::level_enum spdlog_level(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarning:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
    case Level::kOff:
      return spdlog::level::off;
  }
  return spdlog::level::info;
}

}  // namespace

void start(Level level) {
  auto logger = spdlog::stderr_logger_mt("kstream");
  logger->set_level(spdlog_level(level));
  logger->set_pattern("kstream: %l: %v");
  logger->flush_on(spdlog::level::debug);
  spdlog::set_default_logger(std::move(logger));
}

void write(Level level, std::string_view text) {
  // By length: the text may hold a brace or a NUL.
  spdlog::default_logger_raw()->log(spdlog_level(level),
                                    spdlog::string_view_t(text.data(), text.size()));
}

}  // namespace kstream::log
