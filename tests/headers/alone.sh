#!/bin/bash
# usage: alone.sh INCLUDE COMPILER     Each header compiles alone, two at a time.
set -u
include=$1 compiler=$2
cd "$include" || exit 1
check() {
  printf '#include <%s>\n#include <%s>\n' "$1" "$1" |
    "$3" -std=c++20 -fsyntax-only -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -I"$2" -x c++ - || { echo "$1 does not compile alone"; exit 255; }
}
export -f check
find uniroute -name '*.hpp' | sort | xargs -P 2 -I{} bash -c 'check "$@"' _ {} "$include" "$compiler"
