#!/bin/bash
# usage: umbrella.sh INCLUDE COMPILER     uniroute.hpp reaches every header.
set -eu
include=$1 compiler=$2
reached=$(echo '#include <uniroute/uniroute.hpp>' | "$compiler" -std=c++20 -MM -I"$include" -x c++ - | tr ' \\' '\n\n' |
  sed -n "s|^$include/||p" | sort -u)
all=$(cd "$include" && find uniroute -name '*.hpp' | sort)
left=$(comm -13 <(echo "$reached") <(echo "$all"))
[ -z "$left" ] || { printf 'uniroute.hpp does not reach:\n%s\n' "$left"; exit 1; }
