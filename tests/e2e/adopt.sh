#!/usr/bin/env bash
# label: kafka
# A state directory that was lost is made anew of what the outputs hold: what they come to is exact.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$work"
needs_kafka
needs_postgres

topic=adopt-$run
make_topic "$topic" 3
lines 7 40000 > feed
text_sums < feed > want
count=(wordcount -b "$brokers" -t "$topic" --interval 200ms)
adopt=(state adopt --from-sink -b "$brokers" -t "$topic")

# holds STREAM OUTPUT: the counts there are the feed's.
holds() {
  case $2 in
    file:*) file_sums "${2#file:}" ;;
    sqlite:*) sqlite_sums "${2#sqlite:}" "$1" ;;
    kafka:*)
      consume "${2#kafka:}" | awk -F '\t' '{c[$2] += $3} END {for (w in c) print w "\t" c[w]}' | LC_ALL=C sort
      ;;
    *) postgres_holds "$1" want "$(wc -l < feed)" && return ;;
  esac > got
  same "$2" want got
}

# At first the records are all in one partition; nobody has counted one of the others.
head -n 20000 feed | kcat -P -b "$brokers" -t "$topic" -p 0 2> kcat.err
declare -A outputs=(
  [files]='file:files.files' [sqlite]='sqlite:sqlite.db' [postgres]="$url" [kafka]="kafka:$topic-kafka"
  [all]="file:all.files sqlite:all.db $url kafka:$topic-all")
for name in "${!outputs[@]}"; do
  [[ ${outputs[$name]} != *kafka:* ]] || make_topic "$topic-$name" 2
  # shellcheck disable=SC2206  # words
  given=(${outputs[$name]})
  exits 0 "${count[@]}" --from earliest -e --state-dir "lost-$name" --name "$name" "${given[@]/#/--output=}"
  rm -r "lost-$name"
done
tail -n 20000 feed | "$KSTREAM" produce -b "$brokers" -t "$topic" -X sticky.partitioning.linger.ms=0 2> produce.err

for name in "${!outputs[@]}"; do
  # shellcheck disable=SC2206
  given=(${outputs[$name]})
  stream=(--state-dir "state-$name" --name "$name" "${given[@]/#/--output=}")
  exits 65 "${count[@]}" --from earliest -e "${stream[@]}"
  says 'state adopt --from-sink'
  rm -r "state-$name"
  exits 0 "${adopt[@]}" "${stream[@]}"
  says ' is the state of the stream after batch '
  exits 78 "${adopt[@]}" "${stream[@]}"
  says 'holds the state of stream'
  exits 0 "${count[@]}" -e "${stream[@]}"
  for output in "${given[@]}"; do holds "$name" "$output"; done
done

# What is refused; nothing is made.
"$KSTREAM" produce -b "$brokers" -t "$topic" <<< more 2> produce.err
cp -r state-all state-later
exits 0 "${count[@]}" -e --state-dir state-later --name all --output sqlite:all.db
exits 65 "${adopt[@]}" --state-dir new --name all --output sqlite:all.db --output file:all.files
says 'Name only one of them'
exits 66 "${adopt[@]}" --state-dir new --name other --output sqlite:all.db
says "holds no batch of stream 'other'"
exits 66 "${adopt[@]}" --state-dir new --output sqlite:none.db
[[ ! -e none.db ]] || fail "a database was made"
exits 78 state adopt --from-sink -b "$brokers" -t "$topic-all" --state-dir new --name all --output sqlite:all.db
says 'Name those of the stream'
exits 64 "${adopt[@]}" --state-dir new
exits 64 "${adopt[@]}" --state-dir new --mode receiver --output sqlite:all.db
says 'state convert'
exits 64 state adopt -b "$brokers" -t "$topic" --state-dir new --output sqlite:all.db
says '--from-sink'
"$KSTREAM" state show new > out 2> err && fail "a state was made"

# A receiver that lost its log: its state is made a direct stream's, and, when that has caught up, its own.
received=(--mode receiver -g "adopt-$run" -X session.timeout.ms=6000 --from earliest --state-dir received
  --name received --output sqlite:received.db)
exits 0 "${count[@]}" -e "${received[@]}"
rm -r received
"$KSTREAM" produce -b "$brokers" -t "$topic" < feed 2> produce.err
exits 0 "${adopt[@]}" --state-dir received --name received --output sqlite:received.db
exits 0 "${count[@]}" -e --state-dir received --name received --output sqlite:received.db
exits 0 state convert -b "$brokers" -g "adopt-$run" received
exits 0 "${count[@]}" -e "${received[@]}"
{ cat feed feed; echo more; } | text_sums > want
holds received sqlite:received.db
