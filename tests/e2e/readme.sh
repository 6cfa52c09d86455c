#!/usr/bin/env bash
# label: kafka
# Runs the commands that the README shows, on a topic of its own for `test`.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
readme=$(cd "$(dirname "$0")/../.." && pwd)/README.md
cd "$work"
needs_kafka

topic=readme-$run
make_topic "$topic" 4
for ((i = 0; i < 200; i++)); do echo "key$i:some words of line $i"; done > lines
"$KSTREAM" produce -b "$brokers" -t "$topic" --key-separator : < lines 2> err

# `kstream` ends by itself, or is stopped as a service is, soon after the block has printed something.
mkdir bin
cat > bin/kstream << END
#!/usr/bin/env bash
"$KSTREAM" "\$@" <&0 &
for ((i = 0, printed = 0; i < 400 && printed < 20; i++)); do
  kill -0 \$! 2> /dev/null || break
  [[ ! -s $work/out ]] || ((++printed))
  sleep 0.1
done
kill -TERM \$! 2> /dev/null
wait \$!
END
chmod +x bin/kstream
mkdir -p config
cp -r "${readme%/*}/config/sample.txt" "${readme%/*}/config/handlers" config/

# Each block of these sections is a script of its own; a comment ends the one before.
awk '/^## /{on = /As a service|As a member|Into files|In pipelines|Functions of/; close_block()}
     function close_block() {if (text != "") {printf "%s%c", text, 0; text = ""}}
     on && /^    /{if ($0 ~ /^    #/) close_block(); text = text substr($0, 5) "\n"; next}
     on && !/^$/{close_block()}' "$readme" > blocks
count=0
while IFS= read -r -d '' block; do
  script=${block//HOST:PORT/$brokers}
  script=${script//FILE/lines}
  script=${script//DIR/state}
  script=${script//-t test/-t $topic}
  script=${script//--range test:/--range $topic:}
  script=${script//--group words/--group $topic}
  PATH="$work/bin:$PATH" bash -euo pipefail -c "$script" > out 2> err < /dev/null \
    || { cat err >&2; fail "a block of the README ends with $?: $block"; }
  [[ -s out || $block == *produce* ]] || fail "a block of the README prints nothing: $block"
  count=$((count + 1))
done < blocks
((count >= 10)) || fail "only $count blocks were found"
