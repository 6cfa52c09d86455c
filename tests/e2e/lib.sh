# What the end-to-end tests share. KSTREAM is the program, KSTREAM_TOOLS the folder of test tools.
# shellcheck shell=bash
set -euo pipefail
: "${KSTREAM:?the program}"
work=$(mktemp -d)
children=()
cleanup() {
  local child
  for child in ${children[@]+"${children[@]}"}; do kill "$child" 2> /dev/null || true; done
  rm -rf "$work"
}
trap cleanup EXIT

fail() { echo "FAILED: $*" >&2; exit 1; }

# same WHAT WANT_FILE GOT_FILE
same() { diff "$2" "$3" > "$work/diff" || { head -20 "$work/diff" >&2; fail "$1"; }; }

# exits CODE ARGUMENT...: runs kstream, leaves its output in out and err, and wants this status.
exits() {
  local want=$1 got=0
  shift
  timeout 60 "$KSTREAM" "$@" > "$work/out" 2> "$work/err" || got=$?
  [[ $got == "$want" ]] || { cat "$work/err" >&2; fail "kstream $*: exit $got, wanted $want"; }
}

# says TEXT: the last run's standard error has it.
says() { grep -qF -- "$1" "$work/err" || { cat "$work/err" >&2; fail "standard error lacks: $1"; }; }

# WORD<TAB>COUNT lines of TSV output, of all batches added up.
tsv_sums() { cut -f 2- | awk -F '\t' '{c[$1] += $2} END {for (w in c) print w "\t" c[w]}' | LC_ALL=C sort; }
# The same of plain text, by awk alone.
text_sums() { tr ' ' '\n' | awk '{c[$0]++} END {for (w in c) print w "\t" c[w]}' | LC_ALL=C sort; }

# Lines of words, the same for the same numbers: lines SEED COUNT
lines() {
  awk -v seed="$1" -v n="$2" 'BEGIN {
    srand(seed)
    for (i = 0; i < n; i++) {
      line = "w" int(50000 * rand() ^ 3)
      for (j = 0; j < 5; j++) line = line " w" int(50000 * rand() ^ 3)
      print line
    }
  }'
}
