#!/usr/bin/env bash
# label: kafka
# PostgreSQL as output: what is there, what is refused, and connections that are cut at COMMIT.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$work"
needs_kafka
needs_postgres
cuts=${KSTREAM_TEST_CUTS:-10}

# Words of all kinds, through the embedded broker; the password is in no text.
lines 3 2000 > feed
text_sums < feed > want
embedded=(wordcount --brokers embedded -t t --from earliest --once)
exits 0 "${embedded[@]}" --feed feed --name plain --output "postgres:$url" --output stdout --format tsv --top 1
[[ $(wc -l < out) == 1 ]] || fail "standard output gets the batch, too: $(cat out)"
postgres_holds plain want 2000
printf 'a\0b \\x610062 back\\slash \xff \n' > feed
exits 0 "${embedded[@]}" --decode bytes --feed feed --name bytes --output "$url"
says '3 words that PostgreSQL cannot hold'
sql "SELECT word FROM kstream_counts WHERE stream = 'bytes'" | LC_ALL=C sort > held
printf '%s\n' '' '\x5c78363130303632' '\x610062' '\xff' 'back\slash' | LC_ALL=C sort > want_held
same "words with NUL and other bytes" want_held held
[[ $(sql "SELECT encode(word::bytea, 'hex') FROM kstream_counts WHERE word = '\\x610062'") == 610062 ]] \
  || fail "a stored word does not give its bytes back"
python3 -c 'print("long" * 500000)' > feed
exits 0 "${embedded[@]}" --feed feed --name long --output "$url"
[[ $(sql "SELECT length(word) FROM kstream_counts WHERE stream = 'long'") == 2000000 ]] || fail "a word of 2 MB"
KSTREAM_OUTPUT="$url" exits 0 "${embedded[@]}" --print-config
grep -qF "$password" out && fail "--print-config has the password"
grep -qF "${url##*@}" out || fail "--print-config lacks the server: $(cat out)"

# What is refused, and with what. $1: the status, $2: what is said, $3: the URL
echo a > feed
refused() {
  exits "$1" "${embedded[@]}" --feed feed --output "$3" --startup-timeout 1s
  says "$2"
  ! grep -F -e "$password" -e secret err || fail "a password is shown"
}
exits 64 "${embedded[@]}" --feed feed --output "$url" --output "postgres:$url"
says 'is there twice'
grep -F "$password" err && fail "a password is shown"
refused 64 'write %40 for @' "postgres://u:sec@secret@db/x"
refused 64 "PostgreSQL's library does not take" "postgres://u:secret@db:port/x"
refused 69 'refused' "postgres://u:secret@127.0.0.1:1/x"
refused 77 'password authentication failed' "${url/$password/secret}"
refused 77 'no password supplied' "${url/:$password/}"
refused 78 'does not exist' "${url}_other"
PGPASSWORD=$password exits 0 "${embedded[@]}" --feed feed --name environment --output "${url/:$password/}"
echo "*:*:*:*:$password" > passfile
chmod 600 passfile
exits 0 "${embedded[@]}" --feed feed --name file --output "${url/:$password/}?passfile=$PWD/passfile"
exits 64 "${embedded[@]}" --feed feed "$url"
grep -F "$password" err && fail "a password is shown"
sql "CREATE SCHEMA other; CREATE TABLE other.kstream_counts (stream text, word text)"
refused 78 'has the columns stream text, word text; kstream needs stream text, batch bigint' "$url?options=-csearch_path%3Dother"
sql "CREATE ROLE reader_$$ LOGIN PASSWORD 'secret'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader_$$"
refused 77 'permission denied' "${url/kstream:$password/reader_$$:secret}"
sql "GRANT INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO reader_$$"
exits 0 "${embedded[@]}" --feed feed --name granted --output "${url/kstream:$password/reader_$$:secret}"
sql "DROP OWNED BY reader_$$; DROP ROLE reader_$$"
psql -qX "$admin_url" -c "CREATE DATABASE latin_$$ ENCODING LATIN1 LOCALE 'C' TEMPLATE template0"
refused 78 'encoding is LATIN1' "${url%/*}/latin_$$"
psql -qX "$admin_url" -c "DROP DATABASE latin_$$"

# Connections are cut at COMMIT, before it, after it and after its answer: exact all the same.
topic=postgres-$run
make_topic "$topic" 2
lines 5 $((cuts * 500)) > feed
text_sums < feed > want
"$KSTREAM" produce -b "$brokers" -t "$topic" < feed 2> produce.err
count=("$KSTREAM" wordcount -b "$brokers" -t "$topic" --from earliest --interval 100ms --name cut --backpressure off)
start_proxy "$cuts"
timeout 300 "${count[@]}" --exit --max-rate-per-partition 1000 --state-dir cut --output "$proxied" 2> err \
  || { cat err >&2; fail "counting through the proxy ended with $?"; }
[[ $(grep -cE 'before|after|answer' proxy.out) == "$cuts" ]] || fail "cuts: $(sort proxy.out | uniq -c)"
postgres_holds cut want $((cuts * 500))
grep -F "$password" err && fail "a password is shown"
echo "$cuts cuts, $(sql "SELECT count(*) FROM kstream_batches WHERE stream = 'cut'") batches, exact"

# Two processes write one stream: the second that comes to a batch ends with 75, and nothing is mixed.
lines 6 20000 > feed
text_sums < feed > want
topic=postgres-two-$run
make_topic "$topic" 2
two=("$KSTREAM" wordcount -b "$brokers" -t "$topic" --from earliest --name two --output "$url")
"${two[@]}" --state-dir one --interval 100ms 2> err.1 &
first=$!
"${two[@]}" --state-dir two --interval 130ms 2> err.2 &
second=$!
children+=("$first" "$second")
have_asked() {
  [[ $(sql "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
    AND application_name = 'kstream' AND state = 'idle' AND query LIKE 'SELECT batch%'") == 2 ]]
}
wait_for 20 have_asked || fail "two processes are not there: $(cat err.1 err.2)"
"$KSTREAM" produce -b "$brokers" -t "$topic" --rate 5000 < feed 2> produce.err
one_has_ended() { ! kill -0 "$first" 2> /dev/null || ! kill -0 "$second" 2> /dev/null; }
wait_for 20 one_has_ended || fail "two processes write one stream: $(cat err.1 err.2)"
loser=$first winner=$second kept=two
if kill -0 "$first" 2> /dev/null; then loser=$second winner=$first kept=one; fi
ended=0
wait "$loser" || ended=$?
[[ $ended == 75 ]] || fail "the second process: $ended, $(cat err.1 err.2)"
grep -qhF 'another process has written it' err.1 err.2 || fail "what the second one says: $(cat err.1 err.2)"
kill -TERM "$winner"
wait "$winner" || fail "the first process ended with $?: $(cat err.1 err.2)"
"${two[@]}" --state-dir "$kept" --exit 2> err || { cat err >&2; fail "the first process once more"; }
postgres_holds two want 20000
