#!/bin/bash
# uniroute.hpp reaches every header, but for those named in umbrella_leaves_out.txt; and those it does not reach.
# usage: umbrella.sh INCLUDE COMPILER
set -eu
include=$1 compiler=$2
# A line that ends in / is a folder.
leaves_out=$(sed 's/#.*//; s/ *$//; /^$/d' "$(dirname "$0")/umbrella_leaves_out.txt" | while read -r line; do
  case $line in */) (cd "$include" && find "${line%/}" -name '*.hpp') ;; *) echo "$line" ;; esac
done | sort)
reached=$(echo '#include <uniroute/uniroute.hpp>' | "$compiler" -std=c++20 -MM -I"$include" -x c++ - | tr ' \\' '\n\n' |
  sed -n "s|^$include/||p" | sort -u)
all=$(cd "$include" && find uniroute -name '*.hpp' | sort)
status=0
missed=$(comm -13 <(echo "$reached") <(echo "$all") | comm -23 - <(echo "$leaves_out"))
if [ -n "$missed" ]; then
  printf 'uniroute.hpp does not reach:\n%s\n' "$missed"
  status=1
fi
stale=$(comm -23 <(echo "$leaves_out") <(comm -13 <(echo "$reached") <(echo "$all")))
if [ -n "$stale" ]; then
  printf 'umbrella_leaves_out.txt names what is reached, or is not there:\n%s\n' "$stale"
  status=1
fi
exit $status
