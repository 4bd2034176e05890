#!/bin/bash
# Installs what is missing on Debian 12 (as root or through sudo); quick when nothing is.
# usage: cmake/install_dependencies.sh [clang]
set -euo pipefail

# Debian 12's versions, the ones uniroute is tested with. A release of Debian does not change them.
declare -A versions=(
  [g++]=4:12.2 [cmake]=3.25 [ninja-build]=1.11 [libxtensor-dev]=0.24 [libxtensor-blas-dev]=0.20 [libxsimd-dev]=8.1
  [libboost-math-dev]=1.74 [libbenchmark-dev]=1.7 [catch2]=2.13 [libopenblas-dev]=0.3.21 [libcli11-dev]=2.1
  [nlohmann-json3-dev]=3.11 [ccache]=4.7
)
[ "${1:-}" = clang ] && versions[clang-14]=1:14.0

missing=()
for package in "${!versions[@]}"; do
  installed=$(dpkg-query -W -f '${db:Status-Abbrev}${Version}' "$package" 2>/dev/null || true)
  case $installed in
    "ii ${versions[$package]}"*) ;;
    ii*) echo "install_dependencies: $package is ${installed#ii }, but uniroute is tested with ${versions[$package]}" >&2 ;;
    *) missing+=("$package") ;;
  esac
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "install_dependencies: missing ${missing[*]}, but must be root or have sudo to install them" >&2; exit 1; }
  as_root=(sudo)
fi
echo "Installing ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
# A mirror may fail once: try three times before giving up.
for attempt in 1 2 3; do
  if "${as_root[@]}" apt-get update -qq >&2 &&
     "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2; then
    exit 0
  fi
  sleep $((attempt * 5))
done
echo "install_dependencies: apt-get could not install ${missing[*]}" >&2
exit 1
