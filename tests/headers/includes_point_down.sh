#!/bin/bash
# Every header includes floors below its own alone (floors.txt); and the check does find one that does not.
# usage: includes_point_down.sh INCLUDE
set -u
floors="$(dirname "$0")/floors.txt"
judge() {  # FOLDER
  (cd "$1/uniroute" && grep -rHo --include='*.hpp' '#include <uniroute/[^>]*>' . | sed 's|^\./||; s|:#include <uniroute/| |; s|>$||') |
    awk -v floors="$floors" '
      function room(path) { return path ~ /\// ? substr(path, 1, index(path, "/") - 1) : path }
      BEGIN {
        while ((getline line < floors) > 0) {
          if (line ~ /^#/) continue
          count = split(line, names, " ")
          ++height
          for (i = 1; i <= count; ++i) floor[names[i]] = height
        }
      }
      {
        from = room($1)
        to = room($2)
        if (!(from in floor)) { print from " has no floor in floors.txt, but must have one"; bad = 1; next }
        if (from == to) next
        if (floor[to] + 0 >= floor[from]) {
          print $1 " includes " $2 ", but " from " lies on floor " floor[from] " and " to " on floor " floor[to] + 0
          bad = 1
        }
      }
      END { exit bad }'
}
status=0
judge "$1" || status=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for pair in 'numeric/a.hpp route/router.hpp' 'stats/a.hpp data/data.hpp' 'nowhere/a.hpp arrays.hpp' 'state.hpp concepts/predictor.hpp'; do
  rm -rf "$work/uniroute"
  mkdir -p "$work/uniroute/$(dirname "${pair% *}")"
  echo "#include <uniroute/${pair#* }>" >"$work/uniroute/${pair% *}"
  if judge "$work" >"$work/said"; then
    echo "includes_point_down.sh does not find: ${pair% *} includes ${pair#* }"
    status=1
  fi
done
exit $status
