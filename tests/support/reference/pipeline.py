#!/usr/bin/env python3
"""Writes pipeline.json: a small table, and what whole pipelines make of it, by numpy and scipy from the papers' formulas.

Inputs are multiples of 1/64, which every language holds exactly. Pipelines: cells by given centroids with plain and
with empirical-Bayes means, and K nearest neighbours; their predictions, deferral curves and metrics; and a certificate.

usage: pipeline.py > pipeline.json     (pip install numpy scipy)
"""

import json

import numpy as np
from scipy.stats import beta

rng = np.random.default_rng(20502773)
TRAIN, VALIDATION, TEST, SEEN, UNSEEN, CELLS = 48, 36, 40, 5, 4, 3


def sixtyfourths(x):
    return np.round(x * 64) / 64


def prompts(n):
    cell = rng.integers(0, CELLS, n)
    return cell, sixtyfourths(np.eye(CELLS)[cell] * 2 + .4 * rng.standard_normal((n, CELLS)))


def outcomes(cell, skill):
    return (rng.random((len(cell), len(skill))) < skill[:, cell].T).astype(float)


skill_seen, skill_unseen = rng.random((SEEN, CELLS)), rng.random((UNSEEN, CELLS))
train_cell, train_x = prompts(TRAIN)
validation_cell, validation_x = prompts(VALIDATION)
test_cell, test_x = prompts(TEST)
train = outcomes(train_cell, skill_seen)
validation, test = outcomes(validation_cell, skill_unseen), outcomes(test_cell, skill_unseen)
validation[rng.random(validation.shape) < .15] = np.nan
price = sixtyfourths(np.array([.25, .5, 1, 2]) + 0)
validation_costs = sixtyfourths(price * (.5 + rng.random((VALIDATION, UNSEEN))))
test_costs = sixtyfourths(price * (.5 + rng.random((TEST, UNSEEN))))
centroids = sixtyfourths(np.eye(CELLS) * 2 + .1)


def nearest(x):
    return ((x[:, None] - centroids[None]) ** 2).sum(-1).argmin(1)


def cell_means(label, losses):
    """A profile a column: means in cells, counts, and the overall mean; the overall mean where a cell is empty."""
    m = losses.shape[1]
    psi, count, overall = np.zeros((m, CELLS)), np.zeros((m, CELLS)), np.nanmean(losses, axis=0)
    for h in range(m):
        for k in range(CELLS):
            inside = losses[label == k, h]
            inside = inside[~np.isnan(inside)]
            count[h, k] = len(inside)
            psi[h, k] = inside.mean() if len(inside) else overall[h]
    return psi, count, overall


def pooled_strength(psi, count):
    """Method of moments: sigma^2 over tau^2, pooled over LLMs."""
    between = free = spread = within = within_free = 0.0
    for p, n in zip(psi, count):
        p, n = p[n > 0], n[n > 0]
        if len(n) < 2:
            continue
        total = n.sum()
        between += (n * (p - (n * p).sum() / total) ** 2).sum()
        free += len(n) - 1
        spread += total - (n ** 2).sum() / total
        within += (n * p * (1 - p)).sum()
        within_free += total - len(n)
    noise = within / within_free
    return noise / ((between - free * noise) / spread)


def curve(predicted, estimates):
    """Points at every price where a choice changes: the price, mean cost and quality."""
    prices = {0.0}
    for row in predicted:
        for a in range(UNSEEN):
            for b in range(UNSEEN):
                if estimates[b] > estimates[a] and row[a] > row[b]:
                    prices.add((row[a] - row[b]) / (estimates[b] - estimates[a]))
    prices = sorted(prices)
    # Quotients that are equal but for rounding are one price.
    prices = [p for i, p in enumerate(prices) if i + 1 == len(prices) or prices[i + 1] - p > 1e-12]
    out, last = [], None
    for i, low in enumerate(prices):
        middle = (low + prices[i + 1]) / 2 if i + 1 < len(prices) else 2 * low + 1
        choice = (predicted + middle * estimates).argmin(1)
        if last is None or (choice != last).any():
            at = np.arange(TEST), choice
            out.append((low, test_costs[at].mean(), 1 - test[at].mean()))
        last = choice
    return out


def metrics(points):
    single_cost, single_quality = test_costs.mean(0), 1 - test.mean(0)
    low, high = single_cost.min(), single_cost.max()
    cost, quality = np.array([p[1] for p in points]), np.array([p[2] for p in points])
    if cost.min() > low:
        cost, quality = np.append(cost, low), np.append(quality, single_quality[single_cost.argmin()])
    knots = np.unique(cost)
    value = np.array([quality[cost == c].mean() for c in knots])
    best = np.array([quality[cost == c].max() for c in knots])
    ends = np.unique(np.concatenate([[low, high], knots[(knots > low) & (knots < high)]]))

    def area(f):
        return np.trapezoid(f(ends), ends)

    def linear(y):
        return lambda c: np.interp(c, knots, y)

    reference = np.nanmean(validation, axis=0).argmin()
    fine = np.union1d(np.linspace(low, high, 2_000_001), knots[(knots >= low) & (knots <= high)])
    reached = fine[linear(value)(fine) >= single_quality[reference] - 1e-12]
    return {"area": area(linear(value)) / high, "narea": area(linear(value)) / (high - low),
            "narea_prototype": area(linear(np.maximum.accumulate(best))) / (high - low),
            "peak": max(value[knots <= high].max(), linear(value)(high)),
            "qnc": None if len(reached) == 0 else reached[0] / high}


def certificate(delta, part, price_of_cost):
    """Clopper-Pearson intervals at delta (1 - part) / K M, shares at delta part / K; sum of the largest gaps."""
    label = nearest(validation_x)
    psi, count, _ = cell_means(label, validation)
    each = delta * (1 - part) / (CELLS * UNSEEN) / 2
    ones = np.round(psi * count)
    lower = np.where(ones > 0, beta.ppf(each, ones, count - ones + 1), 0)
    upper = np.where(ones < count, beta.isf(each, ones + 1, count - ones), 1)
    inside = np.array([(label == k).sum() for k in range(CELLS)])
    share = delta * part / CELLS / 2
    share_low, share_high = beta.ppf(share, inside, VALIDATION - inside + 1), beta.isf(share, inside + 1, VALIDATION - inside)
    gap = np.zeros(CELLS)
    for k in range(CELLS):
        r = (psi[:, k] + price_of_cost * price).argmin()
        for h in range(UNSEEN):
            if h != r:
                gap[k] = max(gap[k], upper[r, k] - lower[h, k] + price_of_cost * (price[r] - price[h]))
    weight, left = share_low.copy(), 1 - share_low.sum()
    for k in np.argsort(-gap):
        more = min(left, share_high[k] - share_low[k])
        weight[k] += more
        left -= more
    return float(weight @ gap)


def main():
    train_psi, train_count, _ = cell_means(nearest(train_x), train)
    psi, count, overall = cell_means(nearest(validation_x), validation)
    strength = pooled_strength(train_psi, train_count)
    shrunken = overall[:, None] + count / (count + strength) * (psi - overall[:, None])
    near = np.argsort(((test_x[:, None] - validation_x[None]) ** 2).sum(-1), axis=1, kind="stable")[:, :7]
    neighbours = np.nanmean(validation[near], axis=1)
    everywhere = np.broadcast_to(overall, (TEST, UNSEEN))
    neighbours = np.where(np.isnan(neighbours), everywhere, neighbours)
    mean_cost = validation_costs.mean(0)
    label = nearest(test_x)
    pipelines = {}
    for name, predicted in (("cell_mean", psi.T[label]), ("shrunken_mean", shrunken.T[label]), ("knn", neighbours)):
        points = curve(predicted, mean_cost)
        pipelines[name] = {"predicted": predicted.tolist(), "points": points, **metrics(points)}
    gone = [[None if np.isnan(v) else v for v in row] for row in validation.tolist()]
    print(json.dumps({
        "train_x": train_x.tolist(), "train": train.tolist(), "validation_x": validation_x.tolist(), "validation": gone,
        "validation_costs": validation_costs.tolist(), "test_x": test_x.tolist(), "test": test.tolist(),
        "test_costs": test_costs.tolist(), "centroids": centroids.tolist(), "prices": price.tolist(),
        "strength": strength, "pipelines": pipelines,
        "certificates": [{"delta": d, "part": p, "lambda": l, "gap_adaptive": certificate(d, p, l)}
                         for d, p, l in ((.1, .1, 0), (.1, .3, .1), (.5, .2, .02))]}))


if __name__ == "__main__":
    main()
