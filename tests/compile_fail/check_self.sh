#!/bin/bash
# check.sh must pass a true refusal and fail each false one; mended.sh must pass files that can be mended and fail one
# that cannot among them, or no file at all. A harness that always passes would hide all others.
# usage: check_self.sh COMPILER
set -u
check="$(dirname "$0")/check.sh"
mended="$(dirname "$0")/mended.sh"
compiler=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0
try() {  # try passes|fails NAME, source on standard input
  cat >"$work/$2.cpp"
  if "$check" "$work/$2.cpp" "$work" "$compiler" >"$work/log" 2>&1; then got=passes; else got=fails; fi
  if [ "$got" != "$1" ]; then
    echo "check.sh $got $2, but must not:"
    cat "$work/log"
    status=1
  fi
}
try passes a_true_refusal <<'SOURCE'
// expect: two is not [a-z]+
#ifndef UNIROUTE_EXPECT_OK
static_assert(2 == 3, "two is not three");
#endif
SOURCE
try fails a_file_that_compiles <<'SOURCE'
// expect: two is not three
static_assert(2 == 2, "two is not three");
SOURCE
try fails a_refusal_for_another_reason <<'SOURCE'
// expect: two is not three
#ifndef UNIROUTE_EXPECT_OK
static_assert(2 == 2, "two is not three"); int missing = two is not three;
#endif
SOURCE
try fails a_mistake_that_cannot_be_undone <<'SOURCE'
// expect: two is not three
static_assert(2 == 3, "two is not three");
SOURCE
try fails a_file_without_expectation <<'SOURCE'
#ifndef UNIROUTE_EXPECT_OK
static_assert(2 == 3, "two is not three");
#endif
SOURCE
good="$work/a_true_refusal.cpp" bad="$work/a_mistake_that_cannot_be_undone.cpp"
printf '#include <cstddef>\nstruct repeated { std::size_t size; };\n' | tee "$work/one.cpp" >"$work/another.cpp"
"$check" -r "$good" "$work" "$compiler" >/dev/null || { echo "check.sh -r fails a true refusal"; status=1; }
if "$check" -r "$work/a_file_that_compiles.cpp" "$work" "$compiler" >/dev/null; then
  echo "check.sh -r passes a file that compiles"
  status=1
fi
"$mended" "$work" "$compiler" "$good" "$work/one.cpp" "$work/another.cpp" || status=1
if "$mended" "$work" "$compiler" "$good" "$bad" "$work/one.cpp" >/dev/null 2>&1; then
  echo "mended.sh passes a mistake that cannot be undone"
  status=1
fi
if "$mended" "$work" "$compiler" >/dev/null 2>&1; then
  echo "mended.sh passes with no files"
  status=1
fi
exit $status
