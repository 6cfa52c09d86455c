#!/usr/bin/env bash
# label: embedded
# User functions: each example of config/handlers, headers, what becomes of failures, files that
# cannot be used.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
examples=$(cd "$(dirname "$0")/../../config/handlers" && pwd)
cd "$work"

"$KSTREAM" broker --topic words:2 --topic tags:1 --topic log:1 --topic csv:1 --topic texts:1 \
  --topic keys:1 --topic orders:1 --topic bills:1 --topic langs:1 --topic mixed:1 > address 2> broker.err &
children+=("$!")
wait_for 20 grep -q bootstrap address || fail "no broker"
brokers=$(sed -n 's/^bootstrap //p' address)
send() { kcat -P -b "$brokers" -t "$@" 2> kcat.err || { cat kcat.err >&2; fail "kcat -t $*"; }; }

# counts TOPICS HANDLER OPTION...: what is counted, WORD<TAB>COUNT.
counts() {
  exits 0 wordcount -b "$brokers" -t "$1" --from earliest -e --once --format tsv --handler "$2" "${@:3}"
  tsv_sums < out
}
tried=()
# example NAME TOPICS WORD=COUNT...
example() {
  tried+=("$1.lua")
  counts "$2" "$examples/$1.lua" > got
  printf '%s\n' "${@:3}" | tr '=' '\t' | LC_ALL=C sort > want
  same "$1" want got
}

printf '%s\n' '"Hello," she said: hello!' '... WORLD-wide (world).' "it's" | send words
example plain_words words hello=2 she=1 said=1 world-wide=1 world=1 "it's=1"

printf '%s\n' 'no tag # here' '#one #two, #one!' '##three#four_5 #été' | send tags
example hashtags tags '#one=2' '#two=1' '#three=1' '#four_5=1' '#été=1'

printf '%s\n' 'level=info msg="user logged in" user=7' 'msg=started level=warn' 'level=error' \
  'xmsg=no' | send log
example logfmt log user=1 logged=1 in=1 started=1
says "2 records dropped"

printf '%s\n' '1,a,red' '2,"b, c","dark ""red"" one",x' '3,d' '4,,' '"5",,red' '"open,"",red' | send csv
example csv_column csv red=2 'dark "red" one=1' =1

printf '\0\0\0\5hello\0\0\0\13hello world' > two
printf '\0\0\0\1\1' > one
printf '\0\0\0\11short' > short
send texts two one short
example length_prefixed texts hello=2 world=1 "\\x01=1"
says "1 of 3 records were not valid for the handler"
says "made decode fail: $examples/length_prefixed.lua:6: bad argument #2 to 'unpack' (data string too short)"

printf '%s\n' 'k1:a' 'k2:b c' 'k1:' | send keys -K :
echo 'no key' | send keys
example key keys k1=2 k2=1

echo 'late early late' | send orders
echo 'late paid' | send bills
example by_topic orders,bills orders/late=2 orders/early=1 bills/late=1 bills/paid=1

echo 'good words' | send langs -H lang=en
echo 'gute Worte' | send langs -H lang=de
echo 'good ones' | send langs -H lang=de -H other=x -H lang=en
echo 'no header' | send langs
example english_only langs good=2 words=1 ones=1

printf '%s\n' "${tried[@]}" | sort > got
(cd "$examples" && printf '%s\n' *) | sort > want
same "examples without a test" want got

# Every field, with the program's own ideas of them; a tombstone; a header without a value.
echo 'v1' | send mixed -H a=1 -H b -H a=2 -H a
printf 'k:\n' | send mixed -K : -Z
cat > fields.lua << 'END'
local function text(value) return value == nil and "-" or tostring(value) end
function handle(m)
  local parts = { m.topic, m.partition, m.offset, text(m.key), text(m.value), text(m.headers.a) }
  for _, header in ipairs(m.headers) do
    parts[#parts + 1] = header.key .. "=" .. text(header.value)
  end
  assert(m.timestamp > 1700000000000 and m.timestamp < 5000000000000, m.timestamp)
  return { table.concat(parts, " ") }
end
END
counts mixed fields.lua > got
printf '%s\t1\n' 'mixed 0 0 - v1 - a=1 b=- a=2 a=-' 'mixed 0 1 k - -' > want
same "the fields" want got

# The receiver has them, too, and its log keeps them.
exits 0 wordcount --mode receiver -b "$brokers" -t mixed --from earliest -e --state-dir state \
  --format tsv --handler fields.lua
tsv_sums < out > got
same "the fields, received" want got
exits 78 wordcount --mode receiver -b "$brokers" -t mixed -e --state-dir state
says "--handler lua there, none here"
exits 0 state show state
grep -q '^handler lua$' out || fail "state show does not know of the handler"

# What becomes of a record for which a function fails.
cat > fails.lua << 'END'
function handle(m)
  print("at", m.offset)
  return m.headers.b.c or m.key
end
END
counts mixed fails.lua > got
: > want
same "a record that fails has no words" want got
says "batch 1: mixed:0: the record at offset 0: its value of 2 bytes made handle fail: fails.lua:3: attempt to index a nil value"
says "2 of 2 records were not valid for the handler"
says "handler: at?1"
counts mixed fails.lua --on-invalid skip > got
same "a record that fails is skipped" want got
exits 65 wordcount -b "$brokers" -t mixed --from earliest -e --once --handler fails.lua --on-invalid fail
says "mixed:0: the record at offset 0: its value of 2 bytes made handle fail: fails.lua:3: "
[[ ! -s out ]] || fail "a batch with a record that fails reached the output"
exits 0 wordcount -b "$brokers" -t langs --from earliest -e --once --format json --handler "$examples/english_only.lua"
grep -q '"records":4,"words":4,"distinct":3,"nulls":0,"invalid":0,"dropped":2,' out || fail "JSON: $(cat out)"
exits 0 wordcount -b "$brokers" -t langs --from earliest -e --once --format json --handler "$examples/key.lua" --split whitespace
grep -q '"records":4,"words":0,"distinct":0,"nulls":0,"invalid":0,"dropped":4,' out || fail "JSON: $(cat out)"

# Files that cannot be used, before any broker is asked: this one is not there.
nowhere=(wordcount -b 127.0.0.1:1 -t words -e --once --state-dir fresh --handler)
exits 66 "${nowhere[@]}" none.lua
says "none.lua: is not there"
echo 'function handle(m) return m. end' > syntax.lua
exits 78 "${nowhere[@]}" syntax.lua
says "handler 'syntax.lua': syntax.lua:1: <name> expected near 'end'"
echo 'x = 1' > empty.lua
exits 78 "${nowhere[@]}" empty.lua
says "defines neither decode nor handle"
exits 64 "${nowhere[@]}" "$examples/length_prefixed.lua" --decode latin1
says "takes the place of --decode latin1"
[[ ! -e fresh ]] || fail "a state directory was made for a file that cannot be used"
