# Turns the fenced cpp blocks of a Markdown page into one program that is read from top to bottom.
#
# A block's includes come first in the program. The block itself goes into main in a scope of its own, unless
#   its first line begins with "// continued": it shares the scope of the block before it;
#   its first line begins with "// outside", or a line begins with "template <" or "concept": it goes to namespace scope,
#   for all blocks of the page;
#   the line before its fence is <!-- no-run -->: it is compiled, but does not run (and does not continue a scope).
# Compilers name the page and its line in what they say. An exception ends the program with its text.

BEGIN { q = "\"" }
FNR == 1 { page = FILENAME; sub(/.*\//, "", page) }
/^```cpp/ {
  inside = 1; count = 0; outside = 0; continued = 0; no_run = previous ~ /^<!-- no-run -->/
  next
}
/^```/ && inside {
  inside = 0
  block = "#line " start " " q page q "\n"
  for (i = 1; i <= count; ++i) block = block line[i] "\n"
  if (outside) top = top block
  else if (no_run) idle = idle "{\n" block "}\n"
  else if (continued) body = body block
  else { body = body (open ? "}\n" : "") "{\n" block; open = 1 }
  next
}
inside {
  if (++count == 1) {
    start = FNR
    if ($0 ~ /^\/\/ outside/) outside = 1
    if ($0 ~ /^\/\/ continued/) continued = 1
  }
  if ($0 ~ /^(template ?<|concept )/) outside = 1
  # An include leaves an empty line behind, so that line numbers stay true.
  if ($0 ~ /^#include/) { includes = includes $0 "\n"; line[count] = "" }
  else line[count] = $0
}
!inside && NF { previous = $0 }
END {
  print "#include <cassert>\n#include <cstdio>\n#include <exception>\n#include <uniroute/bound/bound.hpp>\n#include <uniroute/experiment/experiment.hpp>\n#include <uniroute/regret/regret.hpp>\n#include <uniroute/uniroute.hpp>\n#include <uniroute/world/world.hpp>\n" includes
  print "namespace ur = uniroute;\n" top
  print "[[maybe_unused]] static void not_run() {\n" idle "}\n"
  print "static void run() {\n" body (open ? "}\n" : "") "}\n"
  print "int main() {\n  try {\n    run();\n  } catch (const std::exception& error) {"
  print "    std::fprintf(stderr, " q "%s\\n" q ", error.what());\n    return 1;\n  }\n}"
}
