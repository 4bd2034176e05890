# Turns the fenced cpp blocks of a Markdown page into one program: includes and blocks that begin with
# "// outside" go to namespace scope, all other blocks into main, each in a scope of its own unless it begins with
# "// continued". A page is so a program that is read from top to bottom.
/^```cpp/ { inside = 1; first = 1; block = ""; outside = 0; continued = 0; next }
/^```/ && inside {
  inside = 0
  if (outside) top = top block "\n"
  else if (continued) body = body block "\n"
  else { if (open) body = body "}\n"; body = body "{\n" block "\n"; open = 1 }
  next
}
inside {
  if (first && $0 ~ /^\/\/ outside/) { outside = 1 }
  if (first && $0 ~ /^\/\/ continued/) { continued = 1 }
  first = 0
  if ($0 ~ /^#include/) includes = includes $0 "\n"
  else block = block $0 "\n"
}
END {
  print "#include <uniroute/uniroute.hpp>\n#include <cstdio>\n#include <cassert>\n" includes
  print "namespace ur = uniroute;\n" top "int main() {\n" body
  if (open) print "}"
  print "}"
}
