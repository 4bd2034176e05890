#!/bin/bash
# arrays.hpp (that is, xtensor), precompiled by each compiler in a folder of its name.
# usage: precompile.sh FOLDER INCLUDE COMPILER...
set -eu
folder=$1 include=$2
shift 2
for compiler in "$@"; do
  header=$folder/$(basename "$compiler")/arrays.hpp
  mkdir -p "$(dirname "$header")"
  echo '#include <uniroute/arrays.hpp>' >"$header"
  case $compiler in *clang*) ending=pch ;; *) ending=gch ;; esac
  "$compiler" -std=c++20 -I"$include" -x c++-header "$header" -o "$header.$ending"
done
