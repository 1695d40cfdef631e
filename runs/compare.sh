#!/usr/bin/env bash
# Every method on the same slices of real issues: the figures and tables of docs/training.md.
#
#     runs/compare.sh              on a CPU: fine-tuned rows at 32 to all, two hours of them
#     GRID=full runs/compare.sh    every row at every slice with five seeds: where there is a GPU
#
# Takes three and a half hours on two cores: 22 minutes of adaptation, an hour of cheap rows, and two
# hours of rows that train an encoder, as many seeds as go into them. Stopped at any moment, the same
# command goes on: a finished step is not repeated. Options after it go to `python -m
# training.compare`. These may be set: DATA, the folder of the real issues; OUT, where everything
# goes; PAGE, the page that is filled; ENCODER; RECIPE of the adaptation; NLI, an inference checkpoint
# (by folder or cached hub id) for the row that needs one; HOURS, after which no fine-tuned cell is
# begun (inf: all are run).
set -euo pipefail
cd "$(dirname "$0")/.."

DATA=${DATA:-../shared/data}
OUT=${OUT:-var/compare}
PAGE=${PAGE:-docs/training.md}
ENCODER=${ENCODER:-all-MiniLM-L6-v2}
PYTHON=${PYTHON:-.venv/bin/python}

case ${GRID:-cpu} in
  cpu) grid=(--tuned-slices 32 64 128 all --max-tokens 128 --hours "${HOURS:-2}") ;;
  full) grid=(--max-tokens 128 --hours "${HOURS:-inf}") ;;
  *) echo "GRID is cpu or full, not $GRID" >&2; exit 2 ;;
esac
if [[ -n ${NLI:-} ]]; then
  grid+=(--nli "$NLI")
fi
if [[ ! -d $DATA ]]; then
  echo "$DATA is not there: DATA names the folder of the real issues" >&2
  exit 1
fi

# What is in OUT is kept and gone on from: it must come of the same settings.
mkdir -p "$OUT"
settings="DATA=$(realpath "$DATA") ENCODER=$ENCODER RECIPE=${RECIPE:-}"
if [[ -f $OUT/settings && $(< "$OUT/settings") != "$settings" ]]; then
  echo "$OUT was made with $(< "$OUT/settings"): give those again, or another OUT" >&2
  exit 1
fi
echo "$settings" > "$OUT/settings"

# 1. Snapshots, the only thing that training reads.
compare=("$PYTHON" -m training.compare --out "$OUT" --encoder "$ENCODER" --protocol time chapter)
snapshots=$("$PYTHON" -m benchmarks.snapshots --data "$DATA" --out "$OUT/snapshots")
while read -r named; do
  compare+=(--snapshot "$named")
done <<< "$snapshots"

# 2. The text that may be read, without labels and without the issues that are judged on.
if [[ ! -d $OUT/corpus ]]; then
  rm -rf "$OUT/corpus.unfinished"
  "${compare[@]}" --corpus "$OUT/corpus.unfinished"
  mv "$OUT/corpus.unfinished" "$OUT/corpus"
fi

# 3. The encoder, adapted to it.
if [[ ! -d $OUT/adapted ]]; then
  adapt=("$PYTHON" -m training.adapt --encoder "$ENCODER" --out "$OUT/adapted")
  for manifest in "$OUT"/corpus/*/manifest.json "$OUT"/corpus/*/*/manifest.json; do
    adapt+=(--snapshot "${manifest%/manifest.json}")
  done
  if [[ -n ${RECIPE:-} ]]; then
    adapt+=(--recipe "$RECIPE")
  fi
  if [[ -d $OUT/adapted.unfinished ]]; then
    adapt+=(--resume)
  fi
  "${adapt[@]}"
fi

# 4. Every method; then the page.
"${compare[@]}" --adapted "$OUT/adapted" "${grid[@]}" --document "$PAGE" "$@"
