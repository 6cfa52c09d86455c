#!/usr/bin/env bash
# label: kafka
# kill -9 before each system call of a kind that changes something outside: in the state, the log, the
# outputs, on the way to a server. In both modes; whatever the moment, the outputs end up exact.
#
# KSTREAM_TEST_STRIDE (default 8): every so many calls of a kind are tried, of those to servers more.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$work"
needs_kafka
needs_postgres
stride=${KSTREAM_TEST_STRIDE:-8}

# Three batches of a run with an end, by their rate.
topic=points-$run
results=points-out-$run
make_topic "$topic" 1
make_topic "$results" 1
lines 7 300 > feed
text_sums < feed > want
"$KSTREAM" produce -b "$brokers" -t "$topic" < feed 2> produce.err
count=("$KSTREAM" wordcount -b "$brokers" -t "$topic" --from earliest --exit --interval 100ms)

topic_end() { kcat -Q -b "$brokers" -t "$results:0:-1" 2> kcat.err | awk '{print $NF}'; }
# sums OUTPUT NAME: WORD<TAB>COUNT of the stream NAME.
sums() {
  case $1 in
    disk)
      file_sums "$2.files" > files.got
      sqlite_sums counts.db "$2" > sqlite.got
      same "$2: files and database" files.got sqlite.got
      cat sqlite.got
      ;;
    postgres) sql "SELECT word, count FROM kstream_totals WHERE stream = '$2'" ;;
    kafka)
      kcat -C -e -q -b "$brokers" -t "$results" -o "$end" -X isolation.level=read_committed -f '%k\t%s\n' 2> kcat.err \
        | awk -F '\t' '{c[$1] += $2} END {for (w in c) print w "\t" c[w]}'
      ;;
  esac
}

# try MODE OUTPUT CALL N: one life that is killed before a thread's Nth CALL, and the next one. False: it
# has no such call.
number=0
try() {
  local mode=$1 output=$2 call=$3 n=$4 status=0 name options
  number=$((number + 1))
  name=$mode-$output-$number
  case $output in
    disk) options=(--output "file:$name.files" --output sqlite:counts.db) ;;
    postgres) options=(--output "$url") ;;
    kafka) options=(--output "kafka:$results"); end=$(topic_end) ;;
  esac
  options+=(--name "$name" --state-dir "$name.state" --mode "$mode")
  case $mode in
    direct) options+=(--max-rate-per-partition 1000) ;;
    receiver) options+=(--max-rate 1000 -g "$name-$run" -X session.timeout.ms=6000) ;;
  esac
  # Around it, so that the shell does not report each kill.
  {
    timeout 60 strace -f -qq -o /dev/null -e "trace=$call" -e "inject=$call:signal=SIGKILL:when=$n" \
      "${count[@]}" "${options[@]}" > life.out 2> life.err || status=$?
  } 2> /dev/null
  [[ $status == 0 || $status == 137 ]] || { cat life.err >&2; fail "$mode, $output, $call $n: it ended with $status"; }
  timeout 60 "${count[@]}" "${options[@]}" > rest.out 2> rest.err \
    || { cat rest.err >&2; fail "$mode, $output, $call $n: the next life ended with $?"; }
  sums "$output" "$name" | LC_ALL=C sort > got
  same "$mode, $output, killed before $call $n" want got
  rm -rf "$name.files" "$name.state"
  [[ $status == 137 ]]
}

for mode in direct receiver; do
  for output in disk postgres kafka; do
    case $output in
      disk) every=$stride calls=(pwrite64 fsync fdatasync rename unlink symlink ftruncate) ;;
      postgres) every=$(((stride + 1) / 2)) calls=(sendto fdatasync) ;;
      kafka) every=$(((stride + 3) / 4)) calls=(sendmsg fdatasync) ;;  # several threads send, each a few times
    esac
    points=0
    for call in "${calls[@]}"; do
      for ((n = 1;; n += every)); do
        try "$mode" "$output" "$call" "$n" || break
        points=$((points + 1))
      done
    done
    echo "$mode, $output: $points kills"
    ((points > 5)) || fail "$mode, $output: only $points kills: that shows nothing"
  done
done
