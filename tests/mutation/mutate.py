"""Changes the headers in many small ways and counts how many of the changes the unit tests notice.

usage: tests/mutation/run [--count N] [--seed S] [--only FILE[:LINE]] [--given TABLE] [FOLDER...]
"""

import argparse
import collections
import concurrent.futures
import os
import re
import resource
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import schemata

ROOT = Path(__file__).resolve().parents[2]
# Folder of include/uniroute, and the least share of its mutants that the tests must notice.
FLOORS = {"bound": .90, "stats": .90, "evaluate": .90, "regret": .90, "experiment": .90, "route": .90, "predict": .90,
          "estimate": .90, "map": .90, "encode": .85, "enroll": .85, "transform": .85, "data": .85,
          "world": .85}
MOST_MEMORY = 6 << 30  # bytes of address space: a change may ask for all there is


def say(text):
    print(text, flush=True)


def equivalents(path):
    """Changes that no test can tell from the original, with the reason: file, original, changed, reason."""
    out = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.startswith("#") or not line.strip():
            continue
        cells = line.split("\t")
        if len(cells) != 4 or not cells[3].strip():
            raise SystemExit(f"mutation: {path}:{number}: has {len(cells)} cells, but must have 4: "
                             "file, original, changed, reason")
        out[tuple(c.strip() for c in cells[:3])] = cells[3]
    return out


def key(mutant):
    return (mutant.file, " ".join(mutant.original.split()), " ".join(mutant.changed.split()))


def write_tree(tree, mutants):
    """A copy of the project with the mutants in it; untouched files keep their time, so that little is rebuilt."""
    names = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard"], check=True, text=True,
                           stdout=subprocess.PIPE).stdout.splitlines()
    known = set(names)
    # What was renamed or taken away since must not be compiled.
    for old in [p for p in tree.rglob("*") if p.is_file() and str(p.relative_to(tree)) not in known]:
        old.unlink()
    by_file = collections.defaultdict(list)
    for m in mutants:
        by_file[m.file].append(m)
    places = {}
    for name in names:
        source, target = ROOT / name, tree / name
        if not source.is_file():
            continue
        text = source.read_bytes()
        if name.startswith("include/uniroute/"):
            inside = name[len("include/uniroute/"):]
            if inside in by_file:
                text, places[inside] = schemata.render(text, by_file[inside])
        if not target.exists() or target.read_bytes() != text:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text)
            shutil.copymode(source, target)
    return places


def blamed(output, tree, places):
    """The mutants at whose place the compiler stopped."""
    out = set()
    for file, line, column in re.findall(r"include/uniroute/([^\s:]+):(\d+):(\d+): (?:fatal )?(?:error|note)", output):
        if file not in places:
            continue
        text = (tree / "include/uniroute" / file).read_bytes()
        begin = 0
        for _ in range(int(line) - 1):
            begin = text.index(b"\n", begin) + 1
        at = begin + int(column) - 1
        around = [p for p in places[file] if p[0] <= at < p[1]]
        if around:
            least = min(p[1] - p[0] for p in around)
            out |= {p[2] for p in around if p[1] - p[0] == least}
        else:
            end = text.find(b"\n", begin)
            out |= {p[2] for p in places[file] if p[0] < end and p[1] > begin}
    return out


def build(tree, folder, mutants, jobs):
    """Compiles all mutants into one program; leaves out those that the compiler refuses."""
    folder.mkdir(parents=True, exist_ok=True)
    refused = set()
    while True:
        kept = [m for m in mutants if m.number not in refused]
        places = write_tree(tree, kept)
        # Assertions, so that reading past an end is noticed as the debug build's sanitizers notice it.
        flags = f"-O1 -w -ferror-limit=0 -D_GLIBCXX_ASSERTIONS -DXTENSOR_ENABLE_ASSERT -include {tree}/tests/mutation/switch.hpp"
        configure = ["cmake", "-G", "Ninja", "-S", str(tree), "-B", str(folder), "-DCMAKE_BUILD_TYPE=Debug",
                     "-DCMAKE_CXX_COMPILER=clang++-14", f"-DCMAKE_CXX_FLAGS_DEBUG={flags}",
                     "-DUNIROUTE_BUILD_EXAMPLES=OFF", "-DUNIROUTE_BUILD_BENCHMARKS=OFF",
                     f"-DUNIROUTE_DATA_DIR={os.environ.get('UNIROUTE_DATA_DIR', ROOT / '../shared/data')}"]
        done = subprocess.run(configure, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise SystemExit(done.stdout)
        say(f"compiling {len(kept)} mutants ...")
        done = subprocess.run(["cmake", "--build", str(folder), "--target", "unit_tests", "-j", str(jobs), "--", "-k",
                               "0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode == 0:
            return kept, refused
        more = blamed(done.stdout, tree, places) - refused
        if not more:
            raise SystemExit(done.stdout[-6000:] + "\nmutation: the tests do not compile")
        say(f"  the compiler refuses {len(more)}; again without them")
        refused |= more


def limited():
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class Tests:
    """The cases of the unit tests: their files, how long each takes, and which mutants it reaches."""

    def __init__(self, program, work):
        self.program, self.work = program, work
        self.name = threading.local()
        self.folder = {}
        self.seconds = {}
        self.reaches = {}

    def run(self, cases, mutant=0, reached=None, limit=900):
        """None where all pass; else what happened."""
        place = self.work / f"run-{threading.get_ident()}"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        # Catch reads a name per line; what it takes for syntax is escaped.
        (place / "cases").write_text("".join('"' + re.sub(r'([\\,\["])', r"\\\1", c) + '"\n' for c in cases))
        environment = dict(os.environ, UNIROUTE_MUTANT=str(mutant), OPENBLAS_NUM_THREADS="1", TMPDIR=str(place))
        environment.pop("UNIROUTE_REACHED", None)
        if reached:
            environment["UNIROUTE_REACHED"] = str(reached)
        try:
            done = subprocess.run([self.program, "--abort", "--warn", "NoTests", "--input-file", str(place / "cases")],
                                  cwd=place, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  text=True, errors="replace", timeout=limit, preexec_fn=limited)
        except subprocess.TimeoutExpired:
            return "ran on"
        if done.returncode == 0:
            return None
        return done.stdout if mutant == 0 else "noticed"

    def measure(self, jobs, last):
        written = dict(cases_in(ROOT / "tests"))
        listed = subprocess.run([self.program, "--list-test-names-only"], stdout=subprocess.PIPE, text=True).stdout
        for name in listed.splitlines():
            # A case over several types is listed once for each, with the type behind its name.
            file = written.get(name) or written.get(name.rpartition(" - ")[0])
            if not file:
                raise SystemExit(f"mutation: no source has the case '{name}'")
            self.folder[name] = file

        def one(name):
            reached = self.work / f"reached-{threading.get_ident()}"
            started = time.monotonic()
            failed = self.run([name], reached=reached)
            if failed:
                return name, failed, 0, set()
            seconds = time.monotonic() - started
            flags = reached.read_bytes()
            return name, None, seconds, {i for i in range(1, last + 1) if flags[i]}

        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            for name, failed, seconds, reaches in pool.map(one, list(self.folder)):
                if failed:
                    raise SystemExit(f"mutation: without any change, the case '{name}' fails:\n{failed[-3000:]}")
                self.seconds[name], self.reaches[name] = seconds, reaches

    def judge(self, mutant):
        """Which test noticed, or None: first the tests of the mirrored folder, then all others that reach the place."""
        reaching = [c for c in self.folder if mutant.number in self.reaches[c]]
        if not reaching:
            return mutant, None, "never executed"
        folder = mutant.file.split("/")[0]
        mirrored = [c for c in reaching if self.folder[c].split("/")[0] == folder]
        others = sorted((c for c in reaching if self.folder[c].split("/")[0] != folder), key=self.seconds.get)
        for cases in (mirrored, others):
            if cases:
                limit = 10 + 5 * sum(self.seconds[c] for c in cases)
                seen = self.run(cases, mutant.number, limit=limit)
                if seen:
                    return mutant, seen, None
        return mutant, None, f"{len(reaching)} cases reach it"


def cases_in(folder):
    """(name, file) of every test case, as its source says."""
    pattern = re.compile(r'TEST_CASE\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)(?:,\s*"((?:[^"\\]|\\.)*)")?', re.S)
    for path in sorted(folder.glob("*/*.cpp")):
        if path.parent.name in ("compile_fail", "consumer", "headers"):
            continue
        for name, _ in pattern.findall(path.read_text()):
            text = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', name)).replace('\\"', '"').replace("\\\\", "\\")
            yield text, str(path.relative_to(folder))


def main():
    parser = argparse.ArgumentParser(prog="tests/mutation/run", description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="*", metavar="FOLDER", help=f"of include/uniroute; default: {' '.join(FLOORS)}")
    parser.add_argument("--count", type=int, default=500, help="how many mutants (500)")
    parser.add_argument("--seed", type=int, default=1, help="which ones (1)")
    parser.add_argument("--only", metavar="FILE[:LINE]", help="mutants of this header (or line) alone")
    parser.add_argument("--given", metavar="FILE", help="the changes of this table (file:line, original, mutation) instead")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    started = time.monotonic()

    work = ROOT / "build" / "mutation"
    work.mkdir(parents=True, exist_ok=True)
    schemata.ci.Config.set_library_file("/usr/lib/llvm-14/lib/libclang.so.1")
    include = ROOT / "include"
    folders = options.folders or [f for f in FLOORS if (include / "uniroute" / f).is_dir()]
    for folder in folders:
        if not (include / "uniroute" / folder).is_dir():
            raise SystemExit(f"mutation: folder is '{folder}', but must be one of include/uniroute")
    headers = ["uniroute/uniroute.hpp"] + [f"uniroute/{h}" for h in ("files.hpp",) if (include / "uniroute" / h).exists()]
    lost = []
    if options.given:
        everything, lost = schemata.given(include, options.given)
        options.count = len(everything)
        folders = options.folders or sorted({m.file.split("/")[0] for m in everything})
    else:
        everything = schemata.find(str(include), headers, ["-std=c++20", f"-I{include}", "-x", "c++"])
    argued = equivalents(ROOT / "tests/mutation/equivalents.tsv")
    pool = [m for m in everything if m.file.split("/")[0] in folders]
    if options.only:
        file, _, line = options.only.partition(":")
        pool = [m for m in everything if m.file == file and (not line or m.line == int(line))]
    mutants = schemata.choose(pool, options.count, options.seed)
    for number, mutant in enumerate(mutants, 1):
        mutant.number = number
    say(f"{len(mutants)} of {len(pool)} mutants" + (f"; {len(lost)} of the table are in no header now:" if lost else ""))
    for row in lost:
        say("  " + " | ".join(row))
    kept, _ = build(work / "tree", work / "build", mutants, options.jobs)

    tests = Tests(str(work / "build/tests/unit_tests"), work)
    tests.measure(options.jobs, len(mutants))
    if not tests.folder:
        raise SystemExit("mutation: the program lists no test case")
    say(f"{len(tests.folder)} cases pass in {sum(tests.seconds.values()):.0f} s without a change")
    noticed, survivors, equal = collections.Counter(), [], collections.Counter()
    to_judge = []
    for m in kept:
        if key(m) in argued:
            equal[m.file.split("/")[0]] += 1
        else:
            to_judge.append(m)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for done, (mutant, seen, why) in enumerate(pool.map(tests.judge, to_judge), 1):
            if seen:
                noticed[mutant.file.split("/")[0]] += 1
            else:
                survivors.append((mutant, why))
            if done % 25 == 0 or done == len(to_judge):
                say(f"  {done} of {len(to_judge)} judged, {sum(noticed.values())} noticed, "
                    f"{time.monotonic() - started:.0f} s")

    lines = ["file:line\toriginal\tchanged\twhy"]
    say("\nSurvivors:")
    for mutant, why in sorted(survivors, key=lambda s: (s[0].file, s[0].line)):
        file, original, changed = key(mutant)
        lines.append(f"{file}:{mutant.line}\t{original}\t{changed}\t{why}")
        say(f"  {file}:{mutant.line}: {original}  ->  {changed or '(left out)'}   ({why})")
    (work / "survivors.tsv").write_text("\n".join(lines) + "\n")

    say(f"\n{'folder':12} {'mutants':>8} {'noticed':>8} {'equal':>6} {'score':>7} {'asked':>7}")
    low = False
    total = collections.Counter(m.file.split("/")[0] for m in to_judge)
    for folder in sorted(total):
        score = noticed[folder] / total[folder]
        asked = FLOORS.get(folder)
        low = low or (asked is not None and score < asked)
        say(f"{folder:12} {total[folder]:8} {noticed[folder]:8} {equal[folder]:6} {score:7.1%} "
            f"{'' if asked is None else format(asked, '7.0%')}")
    say(f"{'all':12} {len(to_judge):8} {sum(noticed.values()):8} {sum(equal.values()):6} "
        f"{sum(noticed.values()) / max(1, len(to_judge)):7.1%}   in {time.monotonic() - started:.0f} s")
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
