#include "base/exit_code.h"

namespace kstream {
namespace {

constexpr ExitCodeRow kRows[] = {
    {ExitCode::kOk, "done, or stopped by SIGTERM or SIGINT after the batch in hand"},
    {ExitCode::kUsage, "usage: an option or a value is wrong"},
    {ExitCode::kData, "data: corrupt, lost or inconsistent offsets or records"},
    {ExitCode::kNoInput, "topic or input file missing"},
    {ExitCode::kUnavailable,
     "no broker, or no database server, within --startup-timeout in a bounded run"},
    {ExitCode::kInternal, "internal error"},
    {ExitCode::kOsError, "out of memory or threads"},
    {ExitCode::kCannotCreate, "cannot create state or output"},
    {ExitCode::kIoError, "input or output error"},
    {ExitCode::kTryAgain,
     "stopped before the batch in hand was done, locked, or fenced: try again"},
    {ExitCode::kProtocol, "broker too old or unknown data format"},
    {ExitCode::kNoPermission, "permission or authentication"},
    {ExitCode::kConfig, "configuration"},
    {ExitCode::kReaderGone, "the reader of standard output has gone"},
};

}  // namespace

std::span<const ExitCodeRow> exit_codes() {
  return kRows;
}

}  // namespace kstream
