#!/usr/bin/env python3
"""Writes statistics.tsv: values of statistics to 17 digits, computed with 60 digits by mpmath (1.3) from the formulas
in the sources that docs/bound.md names, not from the library's code; Clopper-Pearson of more than 100 outcomes by
scipy (1.15) in double.

usage: statistics.py > statistics.tsv     (pip install mpmath scipy)
"""

import mpmath as mp
import scipy.stats

mp.mp.dps = 60


def show(x):
    return mp.nstr(mp.mpf(x), 17, strip_zeros=False)


def root(f, low, high):
    """Where the monotone f changes sign between low and high, by bisection to 1e-30."""
    low, high = mp.mpf(low), mp.mpf(high)
    sign = f(low) > 0
    for _ in range(130):
        middle = (low + high) / 2
        if (f(middle) > 0) == sign:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def log_binomial_tail(k, n, p):
    """P[Bin(n, p) >= k], by the regularised incomplete beta function, or by its few terms."""
    def term(i):
        return mp.binomial(n, i) * p ** i * (1 - p) ** (n - i)
    if k <= 4:
        return 1 - sum((term(i) for i in range(k)), mp.mpf(0))
    if n - k <= 4:
        return sum((term(i) for i in range(k, n + 1)), mp.mpf(0))
    return mp.betainc(k, n - k + 1, 0, p, regularized=True)


def clopper_pearson(k, n, delta):
    if n > 100 and 2 < k < n - 2:
        each = float(delta) / 2
        return (0 if k == 0 else scipy.stats.beta.ppf(each, k, n - k + 1),
                1 if k == n else scipy.stats.beta.isf(each, k + 1, n - k))
    half = mp.mpf(delta) / 2
    low = mp.mpf(0) if k == 0 else root(lambda p: log_binomial_tail(k, n, p) - half, 0, 1)
    high = mp.mpf(1) if k == n else root(lambda p: 1 - log_binomial_tail(k + 1, n, p) - half, 0, 1)
    return low, high


def student_two_sided(t, v):
    t, v = mp.mpf(t), mp.mpf(v)
    return mp.betainc(v / 2, mp.mpf(1) / 2, 0, v / (v + t * t), regularized=True)


def normal_quantile(p):
    return mp.sqrt(2) * mp.erfinv(1 - 2 * mp.mpf(p))


def wilson(k, n, delta):
    z = normal_quantile(mp.mpf(delta) / 2)
    mean = mp.mpf(k) / n
    # The ends are the roots of (mean - mu)^2 = z^2 mu (1 - mu) / n.
    a, b, c = 1 + z * z / n, -(2 * mean + z * z / n), mean * mean
    d = mp.sqrt(b * b - 4 * a * c)
    return (-b - d) / (2 * a), (-b + d) / (2 * a)


# --- The order of bets: SplitMix64, xoshiro256** and Fisher-Yates, from their authors' descriptions ---

MASK = (1 << 64) - 1


def mix(x):
    x = (x + 0x9E3779B97F4A7C15) & MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def derive(seed, index):
    return mix(mix(seed) ^ mix((index + 0x632BE59BD9B4E019) & MASK))


class Engine:
    def __init__(self, seed):
        self.s = []
        for _ in range(4):
            seed = (seed + 0x9E3779B97F4A7C15) & MASK
            self.s.append(mix(seed))

    def __call__(self):
        def rotate(x, k):
            return ((x << k) | (x >> (64 - k))) & MASK
        s = self.s
        out = (rotate((s[1] * 5) & MASK, 7) * 9) & MASK
        t = (s[1] << 17) & MASK
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotate(s[3], 45)
        return out

    def below(self, n):
        limit = MASK - MASK % n
        draw = self()
        while draw >= limit:
            draw = self()
        return draw % n


def shuffled(pairs, seed=20502773):
    draws = Engine(derive(seed, len(pairs)))
    out = list(pairs)
    for i in range(len(out), 1, -1):
        j = draws.below(i)
        out[i - 1], out[j] = out[j], out[i - 1]
    return out


def betting_lower(pairs, delta):
    """The largest m whose capital passes 1/delta: Waudby-Smith and Ramdas (2024), predictable plug-in bets, cut at 3/4."""
    n = len(pairs)
    delta = mp.mpf(delta)
    bets, weight, total, square, error = [], mp.mpf(1), mp.mpf(1) / 2, mp.mpf(1), mp.mpf(0)
    for t, (x, w) in enumerate(pairs, 1):
        variance = (square / t / 4 + error) / t
        bets.append(mp.sqrt(2 * mp.log(1 / delta) / (n * variance)))
        error += (w * (x - total / weight)) ** 2
        weight += w
        total += w * x
        square += w * w

    def passes(m):
        capital = mp.mpf(1)
        for (x, w), bet in zip(pairs, bets):
            capital *= 1 + (min(bet, mp.mpf(3) / 4 / m) if m > 0 else bet) * w * (x - m)
            if capital >= 1 / delta:
                return True
        return False

    if not passes(mp.mpf(0)):
        return mp.mpf(0)
    low, high = mp.mpf(0), mp.mpf(1)
    for _ in range(50):
        middle = (low + high) / 2
        if passes(middle):
            low = middle
        else:
            high = middle
    return low


def betting(values, weights, delta):
    pairs = shuffled(list(zip(values, weights)))
    mirrored = [(1 - x, w) for x, w in pairs]
    half = mp.mpf(delta) / 2
    return betting_lower(pairs, half), 1 - betting_lower(mirrored, half), 1 - betting_lower(mirrored, delta)


def main():
    print("# written by statistics.py with mpmath, 60 digits: statistic, arguments, values")
    for n in (1, 2, 10, 100, 10_000, 10_000_000):
        for k in sorted({0, 1, n // 3, n // 2, n - 1, n}):
            for delta in ("0.5", "0.05", "1e-6", "1e-12"):
                low, high = clopper_pearson(k, n, delta)
                print("clopper_pearson", k, n, delta, show(low), show(high), sep="\t")
    for v in ("1", "2", "5", "29", "99", "1000"):
        for t in ("0.001", "0.5", "1.96", "4", "12", "25"):
            print("student_t_two_sided", t, v, show(student_two_sided(t, v)), sep="\t")
        for p in ("0.9", "0.5", "0.05", "0.001", "1e-9"):
            # P[|T| >= t] = p: Student's t is a ratio, so that its tail is that of a beta variable.
            t = root(lambda s: student_two_sided(s / (1 - s), v) - mp.mpf(p), 0, 1)
            print("student_t_quantile", p, v, show(t / (1 - t)), sep="\t")
    for p in ("0.999", "0.7", "0.5", "0.4999", "0.1", "0.025", "1e-6", "1e-15", "1e-100"):
        print("normal_upper_quantile", p, show(normal_quantile(p)), sep="\t")
    for z in ("-3", "0", "0.5", "2", "8", "30"):
        print("normal_upper_tail", z, show(mp.erfc(mp.mpf(z) / mp.sqrt(2)) / 2), sep="\t")
    for k, n in ((0, 1), (0, 20), (1, 20), (10, 20), (37, 400), (9_999, 10_000)):
        for delta in ("0.5", "0.05", "1e-6"):
            low, high = wilson(k, n, delta)
            print("wilson", k, n, delta, show(low), show(high), sep="\t")
    for positive, negative in ((0, 1), (1, 1), (3, 0), (9, 2), (14, 20), (70, 30), (600, 400)):
        n, fewer = positive + negative, min(positive, negative)
        tail = sum(mp.binomial(n, i) for i in range(fewer + 1)) / mp.mpf(2) ** n
        print("sign_test", positive, negative, show(min(mp.mpf(1), 2 * tail)), sep="\t")
    for n in (1, 2, 7, 40, 200):
        for kind in ("zeros", "ones", "steps", "graded"):
            # Values that both languages make exactly: multiples of 1/64.
            if kind == "zeros":
                values = [mp.mpf(0)] * n
            elif kind == "ones":
                values = [mp.mpf(1)] * n
            elif kind == "steps":
                values = [mp.mpf(1 if i * 3 < n else 0) for i in range(n)]
            else:
                values = [mp.mpf((i * 37 + 11) % 65) / 64 for i in range(n)]
            for weighted in (0, 1):
                weights = [mp.mpf((i * 29 + 5) % 65) / 64 if weighted else mp.mpf(1) for i in range(n)]
                for delta in ("0.5", "0.05", "1e-6"):
                    low, high, upper = betting(values, weights, delta)
                    print("betting", kind, n, weighted, delta, show(low), show(high), show(upper), sep="\t")


if __name__ == "__main__":
    main()
