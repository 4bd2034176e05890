#!/bin/bash
# Everything public is documented (documented.awk); and the check does find a declaration that is not.
# usage: documented.sh INCLUDE
set -u
script="$(dirname "$0")/documented.awk"
headers=$(find "$1/uniroute" -name '*.hpp' -not -path '*/detail/*' | sort)
[ -n "$headers" ] || { echo "there are no headers in $1"; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0
# shellcheck disable=SC2086
awk -f "$script" $headers || status=1
for bare in 'struct options {' 'template <class T>\nconcept thing = true;' '// A comment.\ninline void f(int);' \
  '/// Of another.\n\nusing number = int;'; do
  printf 'namespace uniroute {\n\n/// Has one.\nint g();\n\n%b\n' "$bare" >"$work/bare.hpp"
  if [ "$(awk -f "$script" "$work/bare.hpp" | tail -n 1)" != '1 of 2 declarations have no ///, but must have one' ]; then
    echo "documented.awk does not find: $bare"
    status=1
  fi
done
exit $status
