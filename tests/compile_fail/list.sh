#!/bin/bash
# Prints docs/refusals.md: every twin's sentence as g++ prints it, then the errors of run time.
# usage: tests/compile_fail/list.sh >docs/refusals.md
set -euo pipefail
cd "$(dirname "$0")"
cat <<'TOP'
# Refusals

What makes no sense does not compile, and the compiler's error is one of these sentences. Each has a twin in
`tests/compile_fail`: a file that is refused with this sentence by g++ 12 and clang++ 14, and compiles once its one mistake is
undone (`tests/run` checks both). This page is made by `tests/compile_fail/list.sh`.

| mistake | the compiler says |
|---|---|
TOP
for file in *.cpp; do
  sentence=$(g++ -std=c++20 -fsyntax-only -I../../include "$file" 2>&1 | grep -m1 -oE 'static assertion failed: .*' || true)
  sentence=${sentence#static assertion failed: }
  printf '| %s | %s |\n' "$(basename "$file" .cpp | tr _ ' ')" "${sentence//|/\\|}"
done
cat <<'BOTTOM'

## At run time

Values are checked at the public boundary; the object is as it was before the call. Texts read *function: thing is value, but
must be rule*.

| exception | for | example |
|---|---|---|
| `std::invalid_argument` | shapes, names, parameters | `kmeans::fit: clusters is 30, but must be at most the number of prompts, 20` |
| `std::domain_error` | values: NaN, infinities, losses outside [0, 1], negative costs | `knn::enroll: losses[17] is 1.5, but must be in [0, 1] or missing` |
| `ur::not_fitted` | calls that come too early, an empty pool | `router::route: the pool is empty, but must have at least one model (enroll)` |
| `ur::format_error` | files, with file, line and column | `outcomes.csv:3:7: outcome is 1.2, but must be in [0, 1]` |

A model all of whose outcomes are missing cannot be enrolled; in the protocol it is left out of that trial, and counted. A
budget below the cheapest models is refused; one that cannot be spent is met by λ = 0, with the slack reported. One model is
a legal pool; a split needs two. Where all models cost the same, areas are undefined.
BOTTOM
