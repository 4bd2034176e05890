#!/bin/bash
# Everything compiles where xtensor's headers have moved as in 0.26 (a tree of fakes that lead to the installed ones),
# and only arrays.hpp includes xtensor.
# usage: moved_xtensor.sh INCLUDE COMPILER
set -euo pipefail
include=$1 compiler=$2
here=$(cd "$(dirname "$0")" && pwd)
others=$(grep -rnE '#include [<"]xtensor' "$include" | grep -v '/uniroute/arrays.hpp:' || true)
[ -z "$others" ] || { printf 'only uniroute/arrays.hpp may include xtensor:\n%s\n' "$others"; exit 1; }
program='#include <uniroute/files.hpp>
#include <uniroute/uniroute.hpp>
#ifndef UNIROUTE_MOVED_XTENSOR
#error "the moved headers were not taken"
#endif'
"$compiler" -std=c++20 -fsyntax-only -I"$here/moved_xtensor" -I"$include" -x c++ - <<<"$program"
# The fakes tell: the old name is refused.
! "$compiler" -std=c++20 -fsyntax-only -I"$here/moved_xtensor" -x c++ - <<<'#include <xtensor/xtensor.hpp>' 2>/dev/null ||
  { echo "the fake tree has xtensor/xtensor.hpp, but must not"; exit 1; }
echo "compiles with xtensor's headers where 0.26 has them"
