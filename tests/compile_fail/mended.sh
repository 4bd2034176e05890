#!/bin/bash
# All files compile once their mistakes are undone. They do so in one unit, each in a namespace of its own, so that the
# headers are compiled once; what they include comes first.
# usage: mended.sh INCLUDE COMPILER FILE...
set -eu
include=$1 compiler=$2
shift 2
[ $# -ne 0 ] || { echo "mended.sh: there are no files, but must be at least one"; exit 1; }
{
  echo '#define UNIROUTE_EXPECT_OK'
  grep -h '^#include' "$@" | sort -u || true
  number=0
  for file in "$@"; do
    printf 'namespace twin_%d {\n#include "%s"\n}\n' $((number++)) "$(realpath "$file")"
  done
} | "$compiler" -std=c++20 -fsyntax-only -I"$include" -x c++ - && exit 0
echo "$compiler: a file does not compile without its mistake"
exit 1
