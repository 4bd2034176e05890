"""Writes small changes ("mutants") into a copy of the headers, each behind a run-time switch.

All mutants are compiled once: an expression `a < b` becomes `(mutant(17) ? (a <= b) : (a < b))`, and the environment
variable UNIROUTE_MUTANT says which one is on. Lines keep their numbers. A mutant's own branch holds the text as it was, since
one mutant is on at a time; so the text grows with the depth of nesting, not with its exponential.
Mutant schemata: Untch, Offutt and Harrold, Mutation analysis using mutant schemata, ISSTA 1993.
"""

import random
import re
from dataclasses import dataclass, field
from pathlib import Path

import clang.cindex as ci
from clang.cindex import CursorKind as K
from clang.cindex import TypeKind as T

# What each operator may turn into; "l" and "r" keep one operand alone.
SWAPS = {
    "<": ["<=", ">="], "<=": ["<", ">"], ">": [">=", "<="], ">=": [">", "<"], "==": ["!="], "!=": ["=="],
    "+": ["-", "l"], "-": ["+", "l"], "*": ["/", "l", "r"], "/": ["*", "l"], "%": ["l"],
    "&&": ["||", "l", "r"], "||": ["&&", "l", "r"],
}
ASSIGNMENTS = {"+=": ["-=", "="], "-=": ["+=", "="], "*=": ["/=", "="], "/=": ["*=", "="]}
CALLS = {"min": "max", "max": "min", "floor": "ceil", "ceil": "floor", "lower_bound": "upper_bound",
         "upper_bound": "lower_bound", "log1p": "expm1", "min_element": "max_element", "max_element": "min_element",
         "any_of": "all_of", "all_of": "any_of"}
# Nothing of these runs: what stands in them is judged by the compiler, not by a test.
COMPILE_TIME = {K.STATIC_ASSERT, K.TEMPLATE_TYPE_PARAMETER, K.TEMPLATE_NON_TYPE_PARAMETER,
                K.TEMPLATE_TEMPLATE_PARAMETER, K.TYPE_ALIAS_DECL, K.TYPE_ALIAS_TEMPLATE_DECL, K.ENUM_DECL}
ARITHMETIC = {T.BOOL, T.CHAR_U, T.UCHAR, T.USHORT, T.UINT, T.ULONG, T.ULONGLONG, T.CHAR_S, T.SCHAR, T.SHORT, T.INT,
              T.LONG, T.LONGLONG, T.FLOAT, T.DOUBLE, T.LONGDOUBLE}


@dataclass
class Mutant:
    file: str  # relative to include/uniroute
    line: int
    begin: int  # bytes of the file
    end: int
    original: str
    changed: str
    statement: bool  # a statement that is left out, not an expression
    number: int = 0
    inside: list = field(default_factory=list)


def canonical(cursor):
    return cursor.type.get_canonical().kind


def plain(cursor):
    """Whether the type is arithmetic, or not known before the template is instantiated."""
    kind = canonical(cursor)
    return kind in ARITHMETIC or kind in (T.DEPENDENT, T.UNEXPOSED, T.INVALID, T.AUTO)


class Finder:
    def __init__(self, include):
        self.include = Path(include)
        self.text = {}
        self.found = {}

    def source(self, name):
        if name not in self.text:
            self.text[name] = Path(name).read_bytes()
        return self.text[name]

    def add(self, cursor, changed, statement=False, begin=None, end=None):
        name = cursor.location.file.name
        begin = cursor.extent.start.offset if begin is None else begin
        end = cursor.extent.end.offset if end is None else end
        original = self.source(name)[begin:end].decode()
        if not original.strip() or original == changed or "#" in original or "//" in original or "//" in changed:
            return
        line = self.source(name)[:begin].count(b"\n") + 1
        file = str(Path(name).relative_to(self.include / "uniroute"))
        key = (file, begin, end, changed)
        self.found.setdefault(key, Mutant(file, line, begin, end, original, changed, statement))

    def piece(self, cursor):
        return self.source(cursor.location.file.name)[cursor.extent.start.offset:cursor.extent.end.offset].decode()

    def operator(self, cursor, operands):
        name = cursor.location.file.name
        between = self.source(name)[operands[0].extent.end.offset:operands[1].extent.start.offset].decode()
        return re.sub(r"/\*.*?\*/|//[^\n]*", "", between).strip().strip("()").strip()

    def whole(self, cursor, operands):
        """Whether the cursor is nothing but its two operands and what stands between them."""
        return (cursor.extent.start.offset == operands[0].extent.start.offset
                and cursor.extent.end.offset == operands[1].extent.end.offset)

    def visit(self, cursor, parent=None):
        where = cursor.location.file
        if where is not None and not where.name.startswith(str(self.include / "uniroute")):
            return
        if cursor.kind in COMPILE_TIME or cursor.kind == K.FIELD_DECL:
            return  # a default: a test could only repeat it
        if cursor.kind == K.VAR_DECL:
            tokens = [t.spelling for t in list(cursor.get_tokens())[:6]]
            if "constexpr" in tokens or "consteval" in tokens:
                return
        children = list(cursor.get_children())
        if where is not None:
            self.mutate(cursor, children, parent)
        first = 0
        if cursor.kind == K.IF_STMT:
            tokens = [t.spelling for t in list(cursor.get_tokens())[:2]]
            first = 1 if "constexpr" in tokens else 0
        if cursor.kind in (K.FUNCTION_TEMPLATE, K.CXX_METHOD, K.FUNCTION_DECL, K.CONSTRUCTOR, K.CLASS_TEMPLATE):
            # A requires clause stands before the body and is an expression among the children.
            children = [c for c in children if not c.kind.is_expression()]
        for child in children[first:]:
            self.visit(child, cursor)

    def mutate(self, cursor, children, parent):
        kind = cursor.kind
        if kind == K.BINARY_OPERATOR and len(children) == 2 and self.whole(cursor, children):
            sign = self.operator(cursor, children)
            left, right = self.piece(children[0]), self.piece(children[1])
            if sign in ("&&", "||"):  # an operand may be an optional; the whole is a bool
                left, right = f"static_cast<bool>({left})", f"static_cast<bool>({right})"
            if sign in SWAPS and plain(children[0]) and plain(children[1]):
                for other in SWAPS[sign]:
                    self.add(cursor, {"l": left, "r": right}.get(other, f"{left} {other} {right}"))
        elif kind == K.COMPOUND_ASSIGNMENT_OPERATOR and len(children) == 2 and self.whole(cursor, children):
            sign = self.operator(cursor, children)
            for other in ASSIGNMENTS.get(sign, []):
                self.add(cursor, f"{self.piece(children[0])} {other} {self.piece(children[1])}")
        elif kind == K.CONDITIONAL_OPERATOR and len(children) == 3:
            self.add(cursor, self.piece(children[1]))
            self.add(cursor, self.piece(children[2]))
        elif kind == K.UNARY_OPERATOR and len(children) == 1:
            sign = self.piece(cursor)[:1]
            # Both branches of the switch must have one type: what is negated may be an optional or a pointer.
            if sign == "!":
                self.add(cursor, f"static_cast<bool>({self.piece(children[0])})")
            elif sign == "-" and plain(children[0]):
                self.add(cursor, self.piece(children[0]))
        elif kind == K.IF_STMT and children:
            head = [t.spelling for t in list(cursor.get_tokens())[:2]]
            if "constexpr" not in head and children[0].kind.is_expression():
                self.add(children[0], "true")
                self.add(children[0], "false")
        elif kind == K.RETURN_STMT and children:
            if canonical(children[0]) == T.BOOL:
                self.add(children[0], "true")
                self.add(children[0], "false")
        elif kind == K.INTEGER_LITERAL:
            text = self.piece(cursor)
            if text == "0":
                self.add(cursor, "1")
            elif text == "1":
                self.add(cursor, "0")
                self.add(cursor, "2")
            elif text.isdigit():
                self.add(cursor, str(int(text) + 1))
        elif kind == K.FLOATING_LITERAL:
            text = self.piece(cursor)
            if re.fullmatch(r"[0-9.]+(e-?[0-9]+)?", text):
                self.add(cursor, "1.0" if float(text) == 0 else "0.0")
                if float(text) != 0:
                    self.add(cursor, f"(2 * {text})")
        elif kind == K.CALL_EXPR and children:
            text = self.piece(cursor)
            called = re.match(r"(std::(?:ranges::)?)([a-z_0-9]+)\(", text)
            if called and called.group(2) in CALLS:
                self.add(cursor, called.group(1) + CALLS[called.group(2)] + text[called.end() - 1:])
        if kind == K.COMPOUND_STMT:
            name = cursor.location.file.name
            for child in children:
                if child.kind in (K.CALL_EXPR, K.BINARY_OPERATOR, K.COMPOUND_ASSIGNMENT_OPERATOR, K.CXX_THROW_EXPR,
                                  K.CONTINUE_STMT, K.BREAK_STMT, K.UNEXPOSED_EXPR):
                    end = child.extent.end.offset
                    text = self.source(name)[child.extent.start.offset:end].decode()
                    if re.fullmatch(r"(detail::)?require_\w+<[\w:, ]*>\(\)|[\w.]+\.reserve\(.*\)", text):
                        continue  # says its sentence to the compiler, or is about time alone
                    if self.source(name)[end:end + 1] == b";":
                        self.add(child, "", statement=True)


def find(include, headers, arguments):
    """Every mutant of the headers below include/uniroute, sorted by place."""
    index = ci.Index.create()
    text = "".join(f"#include <{h}>\n" for h in headers)
    unit = index.parse("all.cpp", args=arguments, unsaved_files=[("all.cpp", text)])
    errors = [d for d in unit.diagnostics if d.severity >= ci.Diagnostic.Error]
    if errors:
        raise SystemExit(f"mutation: the headers do not parse: {errors[0]}")
    finder = Finder(include)
    finder_root = str(Path(include) / "uniroute")
    for cursor in unit.cursor.get_children():
        if cursor.location.file is not None and cursor.location.file.name.startswith(finder_root):
            finder.visit(cursor)
    mutants = sorted(finder.found.values(), key=lambda m: (m.file, m.begin, -m.end, m.changed))
    return [m for m in mutants if not crosses_lines(m)]


def given(include, path):
    """The changes that a table lists: a header line names the columns file:line, original and mutation (or changed).

    Each is looked for in the file by its text, nearest to the line; what is not there any more is said.
    """
    rows = [line.split("\t") for line in Path(path).read_text().splitlines() if line and not line.startswith("#")]
    head = rows[0]
    place = head.index("file:line")
    before = head.index("original")
    after = head.index("mutation" if "mutation" in head else "changed")
    out, lost = [], []
    for row in rows[1:]:
        file, _, line = row[place].partition(":")
        header = Path(include) / "uniroute" / file
        text = header.read_bytes().decode() if header.exists() else ""
        pattern = r"\s+".join(re.escape(word) for word in row[before].split())
        found = [(m.start(), m.end()) for m in re.finditer(pattern, text)]
        if not found:
            lost.append(row)
            continue
        begin, end = min(found, key=lambda at: abs(text.count("\n", 0, at[0]) + 1 - int(line or 0)))
        original, changed = text[begin:end], row[after]
        if changed == "(deleted)":
            changed = ";"
        at = len(text[:begin].encode())
        out.append(Mutant(file, text.count("\n", 0, begin) + 1, at, at + len(original.encode()), original, changed,
                          original.rstrip().endswith(";")))
    return sorted(out, key=lambda m: (m.file, m.begin, -m.end, m.changed)), lost


def crosses_lines(mutant):
    return mutant.original.count("\n") > 3


def choose(mutants, count, seed):
    """The same share of each folder by a fixed seed; all of them where there are fewer."""
    if count >= len(mutants):
        return list(mutants)
    return sorted(random.Random(seed).sample(mutants, count), key=lambda m: (m.file, m.begin, -m.end, m.changed))


def render(text, mutants):
    """The file's text (bytes) with all its mutants behind their switches. Returns text and (begin, end, number) of each in it."""
    groups = {}
    for m in mutants:
        groups.setdefault((m.begin, m.end, m.statement), []).append(m)
    # Outer before inner; where extents are the same, a statement is outside of an expression.
    spans = sorted(groups, key=lambda s: (s[0], -s[1], not s[2]))
    placed = []

    def flat(piece):
        return piece.replace("\n", " ")

    def write(begin, end, at, inside):
        out = bytearray()
        position = begin
        i = 0
        while i < len(inside):
            span = inside[i]
            j = i + 1
            while j < len(inside) and inside[j][0] < span[1]:
                j += 1
            within = [s for s in inside[i + 1:j] if s[1] <= span[1]]
            out += text[position:span[0]]
            start = at + len(out)
            group = groups[span]
            if span[2]:
                head = b"".join(f"if (::uniroute_mutant({m.number})) {{ {flat(m.changed)} }} else ".encode()
                                for m in group)
                tail = b""
            else:
                head = b"("
                for m in group:
                    head += f"::uniroute_mutant({m.number}) ? ({flat(m.changed)}) : ".encode()
                head += b"("
                tail = b"))"
            out += head
            out += write(span[0], span[1], at + len(out), within)
            out += tail
            for m in group:
                placed.append((start, at + len(out), m.number))
            position = span[1]
            i = j
        out += text[position:end]
        return out

    return bytes(write(0, len(text), 0, spans)), placed
