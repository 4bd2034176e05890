#pragma once

// What certificates and guards say, once more, in plain loops: slow, from the formulas of docs/bound.md, and sharing
// with the library nothing but the intervals, which have tables of their own.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <uniroute/stats/betting.hpp>
#include <uniroute/stats/exact_binomial.hpp>
#include <uniroute/stats/interval_of.hpp>
#include <vector>

namespace reference {

using column = std::vector<double>;
using table = std::vector<column>;  ///< a row a prompt (or a cell), a column an LLM; NaN: not observed

inline bool absent(double v) { return v != v; }

/// The largest Σ p_k v_k over all p with low <= p <= high and Σ p = 1: the best of all corners.
inline double largest_mean(const column& low, const column& high, const column& v) {
  const std::size_t k = v.size();
  double best = -std::numeric_limits<double>::infinity();
  for (std::size_t free = 0; free < k; ++free) {
    for (std::size_t corner = 0; corner < (std::size_t{1} << k); ++corner) {
      double left = 1, sum = 0;
      for (std::size_t j = 0; j < k; ++j) {
        if (j == free) continue;
        const double p = (corner >> j) % 2 == 0 ? low[j] : high[j];
        left -= p;
        sum += p * v[j];
      }
      if (left >= low[free] - 1e-12 && left <= high[free] + 1e-12) best = std::max(best, sum + left * v[free]);
    }
  }
  return best;
}

/// The interval of kind I for values between from and to of which some are known up to their own bounds.
template <class I>
uniroute::interval between(const column& lows, const column& highs, double from, double to, double delta) {
  column a, b;
  for (std::size_t i = 0; i < lows.size(); ++i) {
    a.push_back((lows[i] - from) / (to - from));
    b.push_back((highs[i] - from) / (to - from));
  }
  return {from + (to - from) * uniroute::interval_of<I>(a, delta).lower,
          from + (to - from) * uniroute::interval_of<I>(b, delta).upper};
}

struct cells {
  double gap_adaptive = 0, uniform = 0, estimation = 0;
  table lower, upper;  ///< K x M
};

/// The certificate of hard cells from losses (or objectives) in [0, scale]: δ (1 − part) / (K M) for each mean, δ part
/// / K for each share, unless shares are known.
template <class I>
cells certify(const table& losses, const std::vector<std::size_t>& label, std::size_t k,
              const std::vector<std::size_t>& choice, const column& costs, double lambda, double delta, double part,
              double scale, const column& known_shares) {
  const std::size_t m = costs.size(), n = losses.size();
  cells out;
  column low, high;
  for (std::size_t c = 0; c < k; ++c) {
    double inside = 0;
    for (const std::size_t l : label) inside += l == c ? 1 : 0;
    if (!known_shares.empty()) {
      low.push_back(known_shares[c]);
      high.push_back(known_shares[c]);
    } else if (k == 1) {
      low.push_back(1);
      high.push_back(1);
    } else {
      const auto share = uniroute::exact_binomial::make(inside, n, delta * part / static_cast<double>(k));
      low.push_back(share.lower);
      high.push_back(share.upper);
    }
  }
  const double each = delta * (known_shares.empty() ? 1 - part : 1) / static_cast<double>(k * m);
  column gap, uniform, width;
  for (std::size_t c = 0; c < k; ++c) {
    column l, u;
    for (std::size_t h = 0; h < m; ++h) {
      column values;
      for (std::size_t i = 0; i < n; ++i) {
        if (label[i] == c && !absent(losses[i][h])) values.push_back(losses[i][h] / scale);
      }
      const auto around = uniroute::interval_of<I>(values, each);
      l.push_back(scale * around.lower);
      u.push_back(scale * around.upper);
    }
    const std::size_t r = choice[c];
    double g = 0, w = 0, off = 0;
    for (std::size_t h = 0; h < m; ++h) {
      if (h != r) g = std::max(g, u[r] - l[h] + lambda * (costs[r] - costs[h]));
      w = std::max(w, u[h] - l[h]);
      off = std::max(off, (l[r] + u[r] - l[h] - u[h]) / 2 + lambda * (costs[r] - costs[h]));
    }
    gap.push_back(g);
    width.push_back(w);
    uniform.push_back(w + off);
    out.lower.push_back(l);
    out.upper.push_back(u);
  }
  out.gap_adaptive = largest_mean(low, high, gap);
  out.estimation = largest_mean(low, high, width);
  out.uniform = largest_mean(low, high, uniform);
  return out;
}

/// The certificate of soft cells: box K x M, memberships and choices of prompts that the box does not know. A third of
/// δ to the upper bound of each mean.
struct memberships {
  double gap_adaptive = 0, uniform = 0, estimation = 0;
  column share, amount;  ///< a cell's mean membership, and its part in the mean gap before costs
};

inline memberships certify_memberships(const table& phi, const std::vector<std::size_t>& choice, const column& costs,
                                       double lambda, const table& lower, const table& upper, double delta) {
  const std::size_t n = phi.size(), k = lower.size(), m = costs.size();
  double lowest = 1e9, highest = -1e9, cheapest = 1e9, dearest = -1e9;
  for (std::size_t c = 0; c < k; ++c) {
    for (std::size_t h = 0; h < m; ++h) {
      lowest = std::min(lowest, lower[c][h]);
      highest = std::max(highest, upper[c][h]);
      cheapest = std::min(cheapest, costs[h]);
      dearest = std::max(dearest, costs[h]);
    }
  }
  const double range = highest - lowest, most = range + lambda * (dearest - cheapest);
  column gaps, widths, both;
  memberships out;
  out.share.assign(k, 0.0);
  out.amount.assign(k, 0.0);
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t r = choice[i];
    column l(m, 0.0), u(m, 0.0);
    for (std::size_t h = 0; h < m; ++h) {
      for (std::size_t c = 0; c < k; ++c) {
        l[h] += phi[i][c] * lower[c][h];
        u[h] += phi[i][c] * upper[c][h];
      }
    }
    double gap = 0, width = 0, off = 0;
    std::size_t rival = m;
    for (std::size_t h = 0; h < m; ++h) {
      const double dearer = lambda * (costs[r] - costs[h]);
      if (h != r && u[r] - l[h] + dearer > gap) {
        gap = u[r] - l[h] + dearer;
        rival = h;
      }
      width = std::max(width, u[h] - l[h]);
      off = std::max(off, (l[r] + u[r]) / 2 - (l[h] + u[h]) / 2 + dearer);
    }
    gaps.push_back(gap / most);
    widths.push_back(width / range);
    both.push_back((width + off) / (range + most));
    for (std::size_t c = 0; c < k; ++c) {
      out.share[c] += phi[i][c] / static_cast<double>(n);
      if (rival < m) out.amount[c] += phi[i][c] * (upper[c][r] - lower[c][rival]) / static_cast<double>(n);
    }
  }
  out.gap_adaptive = most * uniroute::betting::upper(gaps, delta / 3);
  out.estimation = range * uniroute::betting::upper(widths, delta / 3);
  out.uniform = std::max(out.gap_adaptive, (range + most) * uniroute::betting::upper(both, delta / 3));
  return out;
}

/// The least n up to `limit` for which fits(n), by trying all.
template <class Fits>
std::size_t least(std::size_t limit, const Fits& fits) {
  for (std::size_t n = 1; n <= limit; ++n) {
    if (fits(n)) return n;
  }
  return static_cast<std::size_t>(-1);
}

struct held_out {
  uniroute::interval risk, adjusted_risk, to_best_single, to_zero_router;
  std::vector<uniroute::interval> to_single, to_single_adjusted;
  double mean_loss = 0, mean_cost = 0;
  std::size_t best_single = 0, missing = 0;
};

/// δ / 4 to the risk, to J, to the M differences and to the M differences of J. `costs` are those that count, `paid`
/// the table's; no cost is above `largest`, no difference of costs above `range`.
template <class I>
held_out certify_held_out(const table& losses, const table& costs, const table& paid,
                          const std::vector<std::size_t>& choice, double lambda, double largest, double range,
                          double delta) {
  const std::size_t n = losses.size(), m = losses[0].size();
  held_out out;
  column low, high, low_j, high_j;
  double observed = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double loss = losses[i][choice[i]], price = lambda * costs[i][choice[i]];
    low.push_back(absent(loss) ? 0 : loss);
    high.push_back(absent(loss) ? 1 : loss);
    low_j.push_back(low[i] + price);
    high_j.push_back(high[i] + price);
    out.missing += absent(loss) ? 1 : 0;
    out.mean_cost += paid[i][choice[i]] / static_cast<double>(n);
    if (!absent(loss)) {
      out.mean_loss += loss;
      observed += 1;
    }
  }
  out.mean_loss /= observed;
  out.risk = between<I>(low, high, 0, 1, delta / 4);
  out.adjusted_risk = between<I>(low_j, high_j, 0, 1 + lambda * largest, delta / 4);
  const double each = delta / 4 / static_cast<double>(m), most = 1 + lambda * range;
  const double none = std::numeric_limits<double>::infinity();
  out.to_best_single = out.to_zero_router = {-none, -none};
  column single_loss(m, 0.0), single_cost(m, 0.0);
  for (std::size_t h = 0; h < m; ++h) {
    column d_low, d_high, j_low, j_high;
    double seen = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t r = choice[i];
      const double mine = losses[i][r], theirs = losses[i][h];
      const double price = lambda * (costs[i][r] - costs[i][h]);
      d_low.push_back(r == h ? 0 : (absent(mine) ? 0 : mine) - (absent(theirs) ? 1 : theirs));
      d_high.push_back(r == h ? 0 : (absent(mine) ? 1 : mine) - (absent(theirs) ? 0 : theirs));
      j_low.push_back(d_low[i] + price);
      j_high.push_back(d_high[i] + price);
      single_cost[h] += paid[i][h] / static_cast<double>(n);
      if (!absent(theirs)) {
        single_loss[h] += theirs;
        seen += 1;
      }
    }
    single_loss[h] /= seen;
    out.to_single.push_back(between<I>(d_low, d_high, -1, 1, each));
    out.to_single_adjusted.push_back(between<I>(j_low, j_high, -most, most, each));
    out.to_best_single.lower = std::max(out.to_best_single.lower, out.to_single[h].lower);
    out.to_best_single.upper = std::max(out.to_best_single.upper, out.to_single[h].upper);
    out.to_zero_router.lower = std::max(out.to_zero_router.lower, out.to_single_adjusted[h].lower);
    out.to_zero_router.upper = std::max(out.to_zero_router.upper, out.to_single_adjusted[h].upper);
  }
  for (std::size_t h = 1; h < m; ++h) {
    const std::size_t b = out.best_single;
    if (single_loss[h] < single_loss[b] || (single_loss[h] == single_loss[b] && single_cost[h] < single_cost[b]))
      out.best_single = h;
  }
  return out;
}

/// The upper bound of E[ℓ_r + λ c_r − min_h (ℓ_h + λ c_h)] by betting, one-sided.
inline double certify_hindsight(const table& losses, const table& costs, const std::vector<std::size_t>& choice,
                                double lambda, double range, double delta) {
  const double most = 1 + lambda * range;
  column values;
  for (std::size_t i = 0; i < losses.size(); ++i) {
    const std::size_t r = choice[i];
    double worst = 0;
    for (std::size_t h = 0; h < losses[i].size(); ++h) {
      if (h == r) continue;
      const double mine = absent(losses[i][r]) ? 1 : losses[i][r], theirs = absent(losses[i][h]) ? 0 : losses[i][h];
      worst = std::max(worst, mine + lambda * costs[i][r] - theirs - lambda * costs[i][h]);
    }
    values.push_back(worst / most);
  }
  return most * uniroute::betting::upper(values, delta);
}

/// argmin ℓ̂ + λ c of each row; ties to the lower cost, then to the first.
inline std::vector<std::size_t> choices_at(const table& predicted, const table& costs, double lambda) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < predicted.size(); ++i) {
    std::size_t best = 0;
    for (std::size_t h = 1; h < predicted[i].size(); ++h) {
      const double mine = predicted[i][h] + lambda * costs[i][h], least = predicted[i][best] + lambda * costs[i][best];
      if (mine < least || (mine == least && costs[i][h] < costs[i][best])) best = h;
    }
    out.push_back(best);
  }
  return out;
}

/// How many prices of the list pass before the first that fails: all paired tests "E ℓ_r − ℓ_h <= ε" at level δ.
inline std::size_t quality_prices(const table& predicted, const table& costs, const table& losses,
                                  std::optional<std::size_t> rival, double epsilon, const column& lambdas,
                                  double delta) {
  for (std::size_t s = 0; s < lambdas.size(); ++s) {
    const auto choice = choices_at(predicted, costs, lambdas[s]);
    for (std::size_t h = 0; h < losses[0].size(); ++h) {
      if (rival && h != *rival) continue;
      column values;
      for (std::size_t i = 0; i < losses.size(); ++i) {
        const double mine = losses[i][choice[i]], theirs = losses[i][h];
        const double d = choice[i] == h ? 0 : (absent(mine) ? 1 : mine) - (absent(theirs) ? 0 : theirs);
        values.push_back((d + 1) / 2);
      }
      // Rejected: the mean is below (ε + 1) / 2 with confidence 1 − δ.
      if (!(uniroute::betting::upper(values, delta) < (epsilon + 1) / 2)) return s;
    }
  }
  return lambdas.size();
}

/// The same for "E c <= budget".
inline std::size_t cost_prices(const table& predicted, const table& costs, const table& paid, double budget,
                               double largest, const column& lambdas, double delta) {
  for (std::size_t s = 0; s < lambdas.size(); ++s) {
    if (budget >= largest) continue;
    const auto choice = choices_at(predicted, costs, lambdas[s]);
    column values;
    for (std::size_t i = 0; i < paid.size(); ++i) values.push_back(paid[i][choice[i]] / largest);
    if (!(uniroute::betting::upper(values, delta) < budget / largest)) return s;
  }
  return lambdas.size();
}

}  // namespace reference
