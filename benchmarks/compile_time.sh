#!/bin/bash
# Processor time of what including costs, beside what it cannot do without, in turns; the median of RUNS (default: 5).
# Processor time, because other work on the machine stretches it less than the time on the wall.
# usage: benchmarks/compile_time.sh INCLUDE CXX [RUNS]: prints "name <tab> ratio <tab> target <tab> limit" a line
set -euo pipefail
include=$1 cxx=$2 runs=${3:-5}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Name, what is included.
unit() {
  local name=$1
  shift
  printf '#include <%s>\n' "$@" > "$work/$name.cpp"
}
unit umbrella uniroute/uniroute.hpp
unit policy uniroute/cluster/kmeans.hpp
unit umbrella_limit xtensor/xtensor.hpp xtensor-blas/xblas.hpp boost/math/special_functions/beta.hpp
unit policy_limit xtensor/xtensor.hpp

TIMEFORMAT='%U %S'
for ((run = 0; run < runs; ++run)); do
  for name in umbrella umbrella_limit policy policy_limit; do
    { time "$cxx" -std=c++20 -O0 -I"$include" -c "$work/$name.cpp" -o /dev/null 2>&3; } 3>&2 2>"$work/time"
    awk '{ print $1 + $2 }' "$work/time" >>"$work/$name.times"
  done
done
median() { sort -n "$work/$1.times" | sed -n "$(((runs + 1) / 2))p"; }
row() { awk -v a="$(median "$1")" -v b="$(median "$1_limit")" -v OFS='\t' -v name="compile_$1" -v limit="$2" \
  'BEGIN { print name, a / b, 1.3, limit }'; }
row umbrella "xtensor + xblas + Boost.Math, compiled"
row policy "xtensor.hpp, compiled (policy: kmeans.hpp)"
