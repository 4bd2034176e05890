#!/bin/bash
# Each header compiles alone, and when included twice, without a warning; two at a time.
# usage: alone.sh INCLUDE COMPILER...
set -u
include=$1
shift
flags=(-std=c++20 -I"$include" -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
check() {
  header=$1 compiler=$2
  shift 2
  printf '#include <%s>\n#include <%s>\n' "$header" "$header" | "$compiler" "$@" -fsyntax-only -x c++ - && exit 0
  echo "$compiler: $header does not compile alone"
  exit 1
}
export -f check
headers=$(cd "$include" && find uniroute -name '*.hpp' | sort)
[ -n "$headers" ] || { echo "there are no headers in $include"; exit 1; }

# A header that reaches arrays.hpp has all of it before its own code begins, and those that it includes are judged by
# themselves: for these, arrays.hpp (that is, xtensor) may as well be precompiled, which halves the time.
reach_arrays=$(cd "$include" && awk '
  /^#include <uniroute\// { uses[FILENAME] = uses[FILENAME] " " substr($2, 2, length($2) - 2) }
  END {
    reach["uniroute/arrays.hpp"]
    do {
      more = 0
      for (header in uses) {
        n = split(uses[header], used, " ")
        for (i = 1; i <= n && !(header in reach); ++i) if (used[i] in reach) { reach[header]; more = 1 }
      }
    } while (more)
    delete reach["uniroute/arrays.hpp"]
    for (header in reach) print header
  }' $headers | sort)
others=$(comm -23 <(echo "$headers") <(echo "$reach_arrays"))

status=0
for compiler in "$@"; do
  echo '#include <uniroute/arrays.hpp>' >"$work/arrays.hpp"
  case $compiler in *clang*) precompiled=$work/arrays.hpp.pch ;; *) precompiled=$work/arrays.hpp.gch ;; esac
  "$compiler" "${flags[@]}" -x c++-header "$work/arrays.hpp" -o "$precompiled" || status=1
  xargs -P 2 -I{} bash -c 'check "$@"' _ {} "$compiler" "${flags[@]}" -include "$work/arrays.hpp" <<<"$reach_arrays" ||
    status=1
  xargs -P 2 -I{} bash -c 'check "$@"' _ {} "$compiler" "${flags[@]}" <<<"$others" || status=1
  rm -f "$precompiled"
done
exit $status
