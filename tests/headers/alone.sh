#!/bin/bash
# Each header compiles alone, and when included twice, without a warning; two at a time.
# usage: alone.sh INCLUDE COMPILER...
set -u
include=$1
shift
flags=(-std=c++20 -fsyntax-only -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror)
check() {
  header=$1 include=$2 compiler=$3
  shift 3
  printf '#include <%s>\n#include <%s>\n' "$header" "$header" | "$compiler" "$@" -I"$include" -x c++ - && exit 0
  echo "$compiler: $header does not compile alone"
  exit 1
}
export -f check
headers=$(cd "$include" && find uniroute -name '*.hpp' | sort)
[ -n "$headers" ] || { echo "there are no headers in $include"; exit 1; }
status=0
for compiler in "$@"; do
  xargs -P 2 -I{} bash -c 'check "$@"' _ {} "$include" "$compiler" "${flags[@]}" <<<"$headers" || status=1
done
exit $status
