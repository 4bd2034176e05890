#!/bin/bash
# A file with one mistake must be refused by every compiler given, in an error that has the sentence of its `// expect:`
# line (an extended regular expression), and must compile once the mistake is undone (-DUNIROUTE_EXPECT_OK).
# usage: check.sh [-r] [-p FOLDER] FILE INCLUDE COMPILER...
#   -r         only the refusal; mended.sh has seen all files without mistakes
#   -p FOLDER  where precompile.sh has left what the files share
set -u
mended=1 folder=
while getopts rp: option; do
  case $option in
    r) mended=0 ;;
    p) folder=$OPTARG ;;
    *) exit 2 ;;
  esac
done
shift $((OPTIND - 1))
file=$1 include=$2
shift 2
expect=$(sed -n 's|^// expect: ||p' "$file")
[ -n "$expect" ] || { echo "$file has no '// expect:' line"; exit 1; }
for compiler in "$@"; do
  flags=(-std=c++20 -fsyntax-only -I"$include")
  [ -n "$folder" ] && flags+=(-include "$folder/$(basename "$compiler")/arrays.hpp")
  command -v "$compiler" >/dev/null || { echo "$compiler is missing"; exit 1; }
  if [ $mended = 1 ] && ! output=$("$compiler" "${flags[@]}" -DUNIROUTE_EXPECT_OK "$file" 2>&1); then
    printf '%s: does not compile without its mistake:\n%s\n' "$compiler" "$output"
    exit 1
  fi
  if output=$("$compiler" "${flags[@]}" "$file" 2>&1); then
    echo "$compiler: compiles, but must be refused"
    exit 1
  fi
  # Only what the compiler says counts, not the source that it quotes.
  if ! said=$(grep -E 'error:' <<<"$output" | grep -Em1 -- "$expect"); then
    printf '%s: is refused without the sentence "%s":\n%s\n' "$compiler" "$expect" "$(head -c 3000 <<<"$output")"
    exit 1
  fi
  echo "$compiler: $said"
done
