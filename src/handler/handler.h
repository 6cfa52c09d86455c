// The user's functions, decode and handle, of one file in Lua.
//
// Contract: same record, same answer, in every state of the same file, as long as the file keeps
//   nothing in tables or variables of its own. Globals cannot be assigned to by the functions.
// Errors: 78, of the file, with its name and line. A failing function is a problem of the record.
// Thread: one at a time; a counting thread has a state of its own.
// Limits: limits.h.
// Source: Lua 5.4's reference manual; docs/decisions/0012.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "handler/limits.h"
#include "handler/message.h"
#include "model/offset.h"
#include "model/record_block.h"
#include "words/decoded.h"

namespace kstream {

// A file, read once for all states.
struct HandlerFile {
  std::string name;
  std::string code;
};

class Handler {
 public:
  // Runs the file.
  static Result<std::unique_ptr<Handler>> create(const HandlerFile& file);
  ~Handler();
  Handler(const Handler&) = delete;
  Handler& operator=(const Handler&) = delete;

  bool has_decode() const { return decode_ != kNone; }
  bool has_handle() const { return handle_ != kNone; }

  // What decode(bytes) returns: a text.
  Decoded decode(std::string_view bytes);
  // What handle(message) returns: a text, or words. Nothing when it drops the record. `value` is
  // the message's, and may be what decode() gave.
  std::optional<Decoded> handle(const TopicPartition& partition, const RecordView& record,
                                const Decoded* value);

 private:
  static constexpr int kNone = 0;  // in place of a function

  Handler();
  Status load(const HandlerFile& file);
  static int run_file(lua_State* state);
  static int call_decode(lua_State* state);

  Decoded text_or_words();
  Decoded problem(const char* function, const std::string& what);
  std::string take_error(int status);

  Limits limits_;
  lua_State* state_;
  MessageInHand message_;
  int message_reference_ = kNone;
  int decode_ = kNone;
  int handle_ = kNone;
  std::vector<std::string_view> words_;  // returned; they lie in the state
  std::string problem_;
};

}  // namespace kstream
