# Every class, concept, function, alias and constant that a public header declares in namespace uniroute has a `///` of its
# own above it. Prints those that have none. The headers are formatted: what a namespace declares begins a line.
# usage: awk -f documented.awk HEADER...     (headers of detail/ have no business here)
FNR == 1 { depth = inner = 0; comment = declaration = "" }

/^namespace .*{$/ { ++depth; if ($2 != "uniroute") ++inner; comment = ""; next }
/^}  \/\/ namespace/ { --depth; if ($4 != "uniroute") --inner; comment = ""; next }
depth == 0 || inner > 0 || /^#/ { next }

/^\/\// { comment = $1; next }
/^[^ }&|{]/ {
  if (declaration == "") { begins = FILENAME ":" FNR ": "; had = /\/\/\/</ ? "///" : comment }
  line = $0
  sub(/ *\/\/.*/, "", line)
  declaration = declaration line " "
  if (line ~ /[;{}]$/ && line !~ /^requires requires {$/) { judge(); declaration = "" }
}
{ comment = "" }

# A name that is defined elsewhere, a promise and a hint for deduction say nothing that does not stand there.
function judge() {
  if (declaration ~ /^static_assert|^(template <.*> )?(class|struct) [a-z_]+; $|^(template <.*> )?[a-z_]+\(.*\) *-> ?[a-z_]+</) return
  ++looked
  if (had != "///") missing[++n] = begins declaration
}

END {
  for (i = 1; i <= n; ++i) print missing[i]
  if (n) print n " of " looked " declarations have no ///, but must have one"
  if (!looked) print "there are no declarations to look at"
  exit n || !looked
}
