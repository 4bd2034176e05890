# For tests/run, examples/run and benchmarks/run: configure PRESET, run in the root, makes build/PRESET ready for ninja.

configure() {
  local build=build/$1 options=()
  mkdir -p build
  if [ -n "${UNIROUTE_DATA_DIR:-}" ]; then options+=("-DUNIROUTE_DATA_DIR=$UNIROUTE_DATA_DIR"); fi
  # ninja calls CMake again by itself when a CMakeLists.txt has changed, but not when a preset has, or when the
  # folder has moved.
  if [ -f "$build/CMakeCache.txt" ] &&
    ! [ "$(sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' "$build/CMakeCache.txt")" -ef . ]; then
    options+=(--fresh)
  elif [ "$build/build.ninja" -nt CMakePresets.json ] && [ ${#options[@]} -eq 0 ]; then
    return
  fi
  if ! cmake --preset "$1" "${options[@]}" >"$build.log" 2>&1; then
    cat "$build.log" >&2
    return 1
  fi
}

# build PRESET TARGET: silent when there is nothing to do, one line when there is, everything when it fails.
build() {
  if ninja -C "build/$1" -n "$2" 2>/dev/null | grep -q 'no work to do'; then return; fi
  echo "Building $2 (about a minute the first time)" >&2
  if ! ninja -C "build/$1" -j 2 "$2" >"build/$1.log" 2>&1; then
    cat "build/$1.log" >&2
    return 1
  fi
}
