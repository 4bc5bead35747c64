#!/usr/bin/env bash
# All that wants a GPU, with one command: the tests on it, its speed, and training, for as long as there is time.
#
#   tools/on_gpu.sh OUT PHOTOS...
#
# PHOTOS are folders to train on. OUT gets tests.log, speed.json and speed.log, train.log, the run's folder run/ (its
# checkpoint.pt resumes it: call again with the same OUT, or put a checkpoint there before) and summary.txt. From the
# environment: MINUTES in all (9), DEVICE (cuda), SHAPE of the networks (default), STEPS (200000), START (a model to begin
# with), SPEED (pictures to time; those of examples/photos).
set -u
usage() { sed -n '2,9s/^# \{0,1\}//p' "$0"; }
case "${1:-}" in -h | --help) usage; exit 0 ;; esac
[ $# -ge 2 ] || { usage >&2; exit 2; }
out=$1; shift
minutes=${MINUTES:-9} device=${DEVICE:-cuda} shape=${SHAPE:-default} steps=${STEPS:-200000}
top=$(cd "$(dirname "$0")/.." && pwd) || exit 1
mkdir -p "$out" && out=$(cd "$out" && pwd) || exit 1
photos=()
for folder in "$@"; do
  photos+=("$(cd "$folder" && pwd)") || { echo "$folder: no such folder of photos" >&2; exit 2; }
done
cd "$top" || exit 1
end=$((SECONDS + minutes * 60)) status=0
: > "$out/summary.txt"

left() { echo $((end - SECONDS)); }
say() { echo "$*" | tee -a "$out/summary.txt"; }
step() { # NAME SECONDS COMMAND...: what it prints goes to NAME.log; how it ended, to the summary
  local name=$1 most=$2 began=$SECONDS ended
  shift 2
  [ "$most" -gt 5 ] || { say "$name: no time left"; status=1; return; }
  timeout --kill-after=20 --signal=INT "$most" "$@" > "$out/$name.log" 2>&1
  ended=$?
  say "$name: exit $ended after $((SECONDS - began)) s"
  return "$ended"
}

say "$(date -u +%FT%TZ) $(git rev-parse --short HEAD 2> /dev/null)"
command -v nvidia-smi > /dev/null && say "$(nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader)"
step tests "$(($(left) / 4))" python -m pytest -q -n 0 -m "$device" || [ "$device" != cuda ] || status=1
step speed "$(($(left) / 4))" python -m batchcomp bench speed "${SPEED:-examples/photos}" --device "$device" \
  --quick --json "$out/speed.json" || status=1
more=()
[ -f "$out/run/checkpoint.pt" ] || [ -z "${START:-}" ] || more=(--start "$START")
step train "$(($(left) - 25))" python -m batchcomp train joint "${photos[@]}" --run "$out/run" --shape "$shape" \
  --steps "$steps" --device "$device" "${more[@]}"
case $? in 0 | 124 | 130) ;; *) status=1 ;; esac
[ -f "$out/run/checkpoint.pt" ] || status=1
say "done: exit $status"
exit "$status"
