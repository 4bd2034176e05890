#!/bin/bash
# Installs what is missing on Debian 12 (as root or through sudo); quick when nothing is.
# usage: cmake/install_dependencies.sh [clang|coverage|fuzz|mutation|pip]     coverage, fuzz, mutation: what their run
# needs; pip: what cmake/fetch_encoder.sh needs, in any version
set -euo pipefail

# Debian 12's versions, the ones uniroute is tested with. A release of Debian does not change them.
declare -A versions=(
  [g++]=4:12.2 [cmake]=3.25 [ninja-build]=1.11 [libxtensor-dev]=0.24 [libxtensor-blas-dev]=0.20 [libxsimd-dev]=8.1
  [libboost-math-dev]=1.74 [libbenchmark-dev]=1.7 [catch2]=2.13 [libopenblas-dev]=0.3.21 [libcli11-dev]=2.1
  [nlohmann-json3-dev]=3.11
)
case "${1:-}" in
  '') ;;
  clang) versions[clang-14]=1:14.0 ;;
  coverage) versions[clang-14]=1:14.0 versions[llvm-14]=1:14.0 versions[libclang-rt-14-dev]=1:14.0 versions[python3]=3.11 ;;
  fuzz) versions[clang-14]=1:14.0 versions[libclang-rt-14-dev]=1:14.0 ;;
  mutation) versions[clang-14]=1:14.0 versions[python3-clang-14]=1:14.0 ;;
  pip)
    # A python3 with pip from elsewhere will do as well.
    if ! python3 -m pip --version >/dev/null 2>&1; then versions[python3-pip]=23.0; fi
    ;;
  *)
    echo "usage: $0 [clang|coverage|fuzz|mutation|pip]" >&2
    exit 2
    ;;
esac

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "install_dependencies: this is no Debian; CMake will say what it does not find of:" >&2
  for package in "${!versions[@]}"; do echo "  $package ${versions[$package]}" >&2; done
  exit 0
fi

# One query for all of them; what dpkg has never heard of prints nothing.
declare -A installed=()
while read -r status package version; do
  if [ "$status" = installed ]; then installed[$package]=$version; fi
done <<<"$(dpkg-query -W -f '${db:Status-Status} ${Package} ${Version}\n' "${!versions[@]}" 2>/dev/null || true)"

missing=()
for package in "${!versions[@]}"; do
  case ${installed[$package]:-} in
    '') missing+=("$package") ;;
    "${versions[$package]}"*) ;;
    *) echo "install_dependencies: $package is ${installed[$package]}, but uniroute is tested with ${versions[$package]}" >&2 ;;
  esac
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || {
    echo "install_dependencies: missing ${missing[*]}, but must be root or have sudo to install them" >&2
    exit 1
  }
  as_root=(sudo)
fi
apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 \
    -o Dpkg::Use-Pty=0 "$@" </dev/null >&2
}

echo "Installing ${missing[*]}" >&2
# A mirror may fail for a minute: try three times before giving up.
for attempt in 1 2 3; do
  if apt update; then
    wanted=()
    for package in "${missing[@]}"; do
      # The tested version where apt has it, else (another release of Debian) what it has.
      if apt-cache madison "$package" | awk '{ print $3 }' | grep -qF -- "${versions[$package]}"; then
        wanted+=("$package=${versions[$package]}*")
      else
        echo "install_dependencies: apt has no $package ${versions[$package]}, which uniroute is tested with" >&2
        wanted+=("$package")
      fi
    done
    if apt install --no-install-recommends "${wanted[@]}"; then exit 0; fi
  fi
  sleep $((attempt * 5))
done
echo "install_dependencies: apt-get could not install ${missing[*]}" >&2
exit 1
