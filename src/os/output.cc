#include "os/output.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace kstream {
namespace {

Error reader_gone(const std::string& name) {
  return Error{ExitCode::kReaderGone, fmt::format("{}: its reader has gone", name)};
}

}  // namespace

Status Output::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      pollfd waiting{descriptor_, POLLOUT, 0};
      ::poll(&waiting, 1, -1);
    } else if (errno == EPIPE) {
      return reader_gone(name_);
    } else if (errno != EINTR) {
      return Error{ExitCode::kIoError,
                   fmt::format("{}: cannot write {} bytes: {}. The batch was not finished. Make "
                               "room or mend it, then start again.",
                               name_, bytes.size(), std::strerror(errno))};
    }
  }
  return {};
}

Status Output::check_reader() const {
  pollfd waiting{descriptor_, POLLOUT, 0};
  if (::poll(&waiting, 1, 0) > 0 && (waiting.revents & POLLERR) != 0) {
    return reader_gone(name_);
  }
  return {};
}

bool Output::is_terminal() const {
  return ::isatty(descriptor_) == 1;
}

}  // namespace kstream
