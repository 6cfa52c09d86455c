// The message that handle() gets: one object for all records, its fields made when they are asked
// for, and then kept for the record.
//
//   topic, partition, offset, timestamp   timestamp in milliseconds since 1970; -1: none
//   key, value    strings, or nil; key as its bytes are, value as it was decoded: a list of strings
//                 where that gives words
//   headers       a list of {key=, value=} in the record's order; headers.NAME is the value of the
//                 last one of that name. A value may be nil
//
// Thread: one at a time.
#pragma once

#include "model/offset.h"
#include "model/record_block.h"
#include "words/decoded.h"

struct lua_State;

namespace kstream {

// What the message object shows.
struct MessageInHand {
  const TopicPartition* partition = nullptr;
  const RecordView* record = nullptr;
  const Decoded* value = nullptr;  // null: the record has none
  unsigned made = 0;               // bits: fields that are kept
};

// Pushes the object, which shows `in_hand` from then on. May raise.
void push_message(lua_State* state, MessageInHand& in_hand);

// The object at the top of the stack forgets what it keeps. Never raises.
void forget_fields(lua_State* state, MessageInHand& in_hand);

}  // namespace kstream
