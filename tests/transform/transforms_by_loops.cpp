// Skills and item traits once more in plain loops (Gaussian elimination, Jacobi rotations), on random small inputs with
// missing outcomes. Directions are told apart up to their sign, so that inner products are compared.
#include <catch2/catch.hpp>
#include <map>
#include <uniroute/random.hpp>
#include <uniroute/transform/item_traits.hpp>
#include <uniroute/transform/skills.hpp>

namespace ur = uniroute;

namespace {

using column = std::vector<double>;
using table = std::vector<column>;  // rows

/// Solves A z = b.
column solved(table a, column b) {
  const std::size_t n = b.size();
  for (std::size_t p = 0; p < n; ++p) {
    std::size_t pivot = p;
    for (std::size_t i = p; i < n; ++i) {
      if (std::fabs(a[i][p]) > std::fabs(a[pivot][p])) pivot = i;
    }
    std::swap(a[p], a[pivot]);
    std::swap(b[p], b[pivot]);
    for (std::size_t i = 0; i < n; ++i) {
      if (i == p) continue;
      const double factor = a[i][p] / a[p][p];
      for (std::size_t j = p; j < n; ++j) a[i][j] -= factor * a[p][j];
      b[i] -= factor * b[p];
    }
  }
  for (std::size_t p = 0; p < n; ++p) b[p] /= a[p][p];
  return b;
}

/// Eigenvalues, falling, and the vectors that belong to them, by Jacobi's rotations.
std::pair<column, table> eigen(table a) {
  const std::size_t n = a.size();
  table v(n, column(n, 0.0));
  for (std::size_t i = 0; i < n; ++i) v[i][i] = 1;
  for (int sweep = 0; sweep < 60; ++sweep) {
    for (std::size_t p = 0; p < n; ++p) {
      for (std::size_t q = p + 1; q < n; ++q) {
        if (std::fabs(a[p][q]) < 1e-300) continue;
        const double angle = .5 * std::atan2(2 * a[p][q], a[q][q] - a[p][p]), c = std::cos(angle), s = std::sin(angle);
        for (std::size_t i = 0; i < n; ++i) {
          const double x = a[i][p], y = a[i][q];
          a[i][p] = c * x - s * y;
          a[i][q] = s * x + c * y;
        }
        for (std::size_t i = 0; i < n; ++i) {
          const double x = a[p][i], y = a[q][i];
          a[p][i] = c * x - s * y;
          a[q][i] = s * x + c * y;
          const double z = v[p][i], w = v[q][i];  // rows of v are vectors
          v[p][i] = c * z - s * w;
          v[q][i] = s * z + c * w;
        }
      }
    }
  }
  std::vector<std::size_t> order(n);
  for (std::size_t i = 0; i < n; ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return a[i][i] > a[j][j]; });
  std::pair<column, table> out;
  for (const std::size_t i : order) {
    out.first.push_back(a[i][i]);
    out.second.push_back(v[i]);
  }
  return out;
}

column means(const table& x, const std::vector<std::size_t>& prompts) {
  column out(x[0].size(), 0.0);
  for (const std::size_t i : prompts) {
    for (std::size_t j = 0; j < out.size(); ++j) out[j] += x[i][j] / static_cast<double>(prompts.size());
  }
  return out;
}

/// (XᵀX + s I)⁻¹ Xᵀ y about the means of some prompts, and the score of generalised cross-validation.
struct ridge {
  column weights;
  double score = 0;
};
ridge fit_ridge(const table& x, const column& y, const std::vector<std::size_t>& prompts, double strength) {
  const std::size_t d = x[0].size();
  const double n = static_cast<double>(prompts.size());
  const column centre = means(x, prompts);
  double level = 0;
  for (const std::size_t i : prompts) level += y[i] / n;
  table a(d, column(d, 0.0));
  column b(d, 0.0);
  for (const std::size_t i : prompts) {
    for (std::size_t j = 0; j < d; ++j) {
      b[j] += (x[i][j] - centre[j]) * (y[i] - level);
      for (std::size_t k = 0; k < d; ++k) a[j][k] += (x[i][j] - centre[j]) * (x[i][k] - centre[k]);
    }
  }
  double freedom = 1;
  for (const double e : eigen(a).first) freedom += e / (e + strength);
  for (std::size_t j = 0; j < d; ++j) a[j][j] += strength;
  ridge out{solved(a, b)};
  double residual = 0;
  for (const std::size_t i : prompts) {
    double r = y[i] - level;
    for (std::size_t j = 0; j < d; ++j) r -= (x[i][j] - centre[j]) * out.weights[j];
    residual += r * r;
  }
  const double left = 1 - freedom / n;
  out.score = left <= 0 ? std::numeric_limits<double>::infinity() : residual / n / (left * left);
  return out;
}

std::vector<std::size_t> all_of(std::size_t n) {
  std::vector<std::size_t> out(n);
  for (std::size_t i = 0; i < n; ++i) out[i] = i;
  return out;
}

/// Mean eigenvalue of the scatter matrix.
double mean_eigenvalue(const table& x) {
  const column centre = means(x, all_of(x.size()));
  double out = 0;
  for (const auto& r : x) {
    for (std::size_t j = 0; j < r.size(); ++j)
      out += (r[j] - centre[j]) * (r[j] - centre[j]) / static_cast<double>(r.size());
  }
  return out;
}

struct linear {
  column mean;
  table directions;  // one a row
  double strength = 0;
};

/// Skills by the words of skills.hpp: targets (n x m) with NaN for what is missing.
linear skills_by_loops(const table& x, const table& targets, std::size_t directions, std::optional<double> given) {
  const std::size_t n = x.size(), d = x[0].size(), m = targets[0].size();
  // LLMs with one pattern of observations, by the number of their outcomes, most first.
  std::vector<std::pair<std::vector<std::size_t>, std::vector<std::size_t>>> groups;  // prompts, LLMs
  for (std::size_t h = 0; h < m; ++h) {
    std::vector<std::size_t> prompts;
    for (std::size_t i = 0; i < n; ++i) {
      if (!std::isnan(targets[i][h])) prompts.push_back(i);
    }
    if (prompts.empty()) continue;
    const auto known = std::find_if(groups.begin(), groups.end(), [&](const auto& g) { return g.first == prompts; });
    if (known == groups.end()) {
      groups.push_back({prompts, {h}});
    } else {
      known->second.push_back(h);
    }
  }
  std::stable_sort(groups.begin(), groups.end(), [](const auto& a, const auto& b) {
    return a.first.size() * a.second.size() > b.first.size() * b.second.size();
  });
  const double level = mean_eigenvalue(x);
  const auto target = [&](std::size_t h) {
    column out(n);
    for (std::size_t i = 0; i < n; ++i) out[i] = targets[i][h];
    return out;
  };
  linear out{means(x, all_of(n)), {}, given.value_or(1)};
  if (!given) {
    double least = std::numeric_limits<double>::infinity();
    for (int power = -6; power <= 12; ++power) {
      double score = 0;
      for (std::size_t g = 0; g < groups.size() && g < 4; ++g) {
        for (const std::size_t h : groups[g].second)
          score += fit_ridge(x, target(h), groups[g].first, level * std::pow(2.0, power)).score;
      }
      if (score < least) {
        least = score;
        out.strength = std::pow(2.0, power);
      }
    }
  }
  table w(m, column(d, 0.0));
  for (const auto& [prompts, models] : groups) {
    for (const std::size_t h : models) w[h] = fit_ridge(x, target(h), prompts, out.strength * level).weights;
  }
  table covariance(m, column(m, 0.0)), predicted(n, column(m, 0.0));
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t h = 0; h < m; ++h) {
      for (std::size_t j = 0; j < d; ++j) predicted[i][h] += (x[i][j] - out.mean[j]) * w[h][j];
    }
    for (std::size_t h = 0; h < m; ++h) {
      for (std::size_t g = 0; g < m; ++g)
        covariance[h][g] += predicted[i][h] * predicted[i][g] / static_cast<double>(n);
    }
  }
  const auto [values, vectors] = eigen(covariance);
  double total = 0;
  for (std::size_t k = 0; k < std::min(directions, m) && values[k] > 1e-10 * values[0]; ++k) {
    total += values[k];
    column direction(d, 0.0);
    for (std::size_t h = 0; h < m; ++h) {
      for (std::size_t j = 0; j < d; ++j) direction[j] += vectors[k][h] * w[h][j];
    }
    out.directions.push_back(direction);
  }
  for (auto& direction : out.directions) {
    for (double& v : direction) v /= std::sqrt(total);
  }
  return out;
}

column applied(const linear& map, const column& x) {
  column out;
  for (const auto& direction : map.directions) {
    double sum = 0;
    for (std::size_t j = 0; j < x.size(); ++j) sum += (x[j] - map.mean[j]) * direction[j];
    out.push_back(sum);
  }
  return out;
}

double sigma(double v) { return 1 / (1 + std::exp(-v)); }

/// One Newton step of the log posterior, each coordinate at most 1: P(error) = σ(offset + z · w), w ~ N(mean,
/// 1/precision).
void newton(const table& z, const column& offsets, const column& losses, const column& mean, const column& precision,
            column& w) {
  const std::size_t p = w.size();
  table curvature(p, column(p, 0.0));
  column slope(p);
  for (std::size_t k = 0; k < p; ++k) {
    curvature[k][k] = precision[k];
    slope[k] = -precision[k] * (w[k] - mean[k]);
  }
  for (std::size_t i = 0; i < z.size(); ++i) {
    if (std::isnan(losses[i])) continue;
    double s = offsets[i];
    for (std::size_t k = 0; k < p; ++k) s += z[i][k] * w[k];
    for (std::size_t k = 0; k < p; ++k) {
      slope[k] += z[i][k] * (losses[i] - sigma(s));
      for (std::size_t l = 0; l < p; ++l) curvature[k][l] += sigma(s) * (1 - sigma(s)) * z[i][k] * z[i][l];
    }
  }
  const column step = solved(curvature, slope);
  for (std::size_t k = 0; k < p; ++k) w[k] += std::min(1.0, std::max(-1.0, step[k]));
}

/// The traits by the words of item_traits.hpp.
linear traits_by_loops(const table& x, const table& losses, std::size_t abilities, std::size_t rounds) {
  const std::size_t n = x.size(), d = x[0].size(), m = losses[0].size();
  const std::size_t r = std::min(abilities, std::max<std::size_t>(m, 2) - 1);
  table ability(m, column(r, 0.0));
  double mean = 0;
  for (std::size_t h = 0; h < m; ++h) {
    double errors = .5, rights = .5;
    for (std::size_t i = 0; i < n; ++i) {
      if (std::isnan(losses[i][h])) continue;
      errors += losses[i][h];
      rights += 1 - losses[i][h];
    }
    ability[h][0] = std::log(rights / errors);
    mean += ability[h][0] / static_cast<double>(m);
  }
  for (auto& a : ability) a[0] -= mean;
  if (r > 1) {
    table covariance(m, column(m, 0.0));
    for (const auto& of : losses) {
      double sum = 0, count = 0;
      for (const double v : of) {
        if (std::isnan(v)) continue;
        sum += v;
        count += 1;
      }
      if (count < 2) continue;
      for (std::size_t h = 0; h < m; ++h) {
        for (std::size_t g = 0; g < m; ++g) {
          if (std::isnan(of[h]) || std::isnan(of[g])) continue;
          covariance[h][g] += (of[h] - sum / count) * (of[g] - sum / count) / static_cast<double>(n);
        }
      }
    }
    const auto vectors = eigen(covariance).second;
    for (std::size_t h = 0; h < m; ++h) {
      for (std::size_t k = 1; k < r; ++k) ability[h][k] = std::sqrt(static_cast<double>(m)) * vectors[k - 1][h];
    }
  }
  table traits(n, column(1 + r, 0.0));
  for (auto& t : traits) t[1] = 1;
  column prompt_mean(1 + r, 0.0), prompt_precision(1 + r, 4.0);
  prompt_mean[1] = 1;
  prompt_precision[0] = .25;
  for (std::size_t round = 0; round < rounds; ++round) {
    table z(m, column(1 + r, 1.0));
    for (std::size_t h = 0; h < m; ++h) {
      for (std::size_t k = 0; k < r; ++k) z[h][1 + k] = -ability[h][k];
    }
    for (std::size_t i = 0; i < n; ++i) newton(z, column(m, 0.0), losses[i], prompt_mean, prompt_precision, traits[i]);
    table slopes(n, column(r));
    column difficulty(n);
    for (std::size_t i = 0; i < n; ++i) {
      difficulty[i] = traits[i][0];
      for (std::size_t k = 0; k < r; ++k) slopes[i][k] = -traits[i][1 + k];
    }
    for (std::size_t h = 0; h < m; ++h) {
      column of(n);
      for (std::size_t i = 0; i < n; ++i) of[i] = losses[i][h];
      newton(slopes, difficulty, of, column(r, 0.0), column(r, 1.0), ability[h]);
    }
  }
  linear out{means(x, all_of(n)), {}};
  const double level = mean_eigenvalue(x);
  for (std::size_t k = 0; k <= r; ++k) {
    column y(n);
    for (std::size_t i = 0; i < n; ++i) y[i] = traits[i][k];
    double least = std::numeric_limits<double>::infinity();
    column best;
    for (int power = -6; power <= 12; ++power) {
      const auto fit = fit_ridge(x, y, all_of(n), level * std::pow(2.0, power));
      if (fit.score < least) {
        least = fit.score;
        best = fit.weights;
      }
    }
    double variance = 0;
    for (const auto& row : x) {
      double v = 0;
      for (std::size_t j = 0; j < d; ++j) v += (row[j] - out.mean[j]) * best[j];
      variance += v * v / static_cast<double>(n);
    }
    for (double& v : best) v = variance > 1e-12 ? v / std::sqrt(variance) : 0;  // two LLMs that are equal in the mean
    out.directions.push_back(best);
  }
  return out;
}

struct inputs {
  table x, losses;
  ur::embedding_matrix embeddings;
  ur::loss_matrix outcomes;
};

/// Prompts that drive the outcomes: losses with noise, or 0 and 1; a share missing at random; the last `block` LLMs
/// observed on the first half alone.
inputs draw(std::size_t n, std::size_t d, std::size_t m, double gaps, std::size_t block, bool binary,
            std::uint64_t seed) {
  ur::random_engine draws(seed);
  table skill(m, column(d));
  for (auto& s : skill) {
    for (double& v : s) v = draws.normal();
  }
  inputs out{table(n, column(d)), table(n, column(m)), ur::make_matrix<float>(n, d), ur::make_matrix<double>(n, m)};
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < d; ++j) {
      out.embeddings(i, j) = static_cast<float>(draws.normal() * (j == 0 ? 2 : 1));
      out.x[i][j] = static_cast<double>(out.embeddings(i, j));
    }
    for (std::size_t h = 0; h < m; ++h) {
      double score = .4 * static_cast<double>(h) - .6;
      for (std::size_t j = 0; j < d; ++j) score += .5 * skill[h][j] * out.x[i][j];
      const double p = sigma(score), noise = draws.uniform();
      double loss = binary ? (noise < p ? 1 : 0) : std::clamp(p + .2 * (noise - .5), 0.0, 1.0);
      if (draws.uniform() < gaps || (h + block >= m && i >= n / 2)) loss = ur::missing;
      out.outcomes(i, h) = out.losses[i][h] = loss;
    }
  }
  return out;
}

/// Targets of skills: losses, or less the prompt's mean over the LLMs that were observed on it.
table contrasts(const table& losses) {
  table out = losses;
  for (auto& of : out) {
    double sum = 0, count = 0;
    for (const double v : of) {
      if (std::isnan(v)) continue;
      sum += v;
      count += 1;
    }
    for (double& v : of) v = count < 2 ? ur::missing : v - sum / count;
  }
  return out;
}

template <class Transform>
void same(const Transform& ours, const linear& loops, const inputs& at, bool signs) {
  REQUIRE(ours.dimension() == loops.directions.size());
  const auto z = ours.apply(at.embeddings);
  for (std::size_t i = 0; i < at.x.size(); ++i) {
    const column w = applied(loops, at.x[i]);
    for (std::size_t k = 0; k < w.size(); ++k) {
      const double value = static_cast<double>(z(i, k));
      // A direction is known up to its sign, which the first prompt settles.
      const double sign = !signs && static_cast<double>(z(0, k)) * applied(loops, at.x[0])[k] < 0 ? -1 : 1;
      CHECK(value == Approx(sign * w[k]).margin(2e-4));
    }
  }
}

}  // namespace

TEST_CASE("skills are those of plain loops: strengths by cross-validation, patterns of observations, few directions") {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    for (const std::size_t block : {0, 2}) {
      const auto data = draw(40, 5, 5, 0, block, seed % 2 == 0, seed);
      for (const std::size_t directions : {1, 2, 6}) {
        CAPTURE(seed, block, directions);
        ur::skills losses{{.directions = directions, .target = ur::outcome_target::losses}};
        losses.fit(data.embeddings, data.outcomes);
        const auto loops = skills_by_loops(data.x, data.losses, directions, {});
        CHECK(losses.strength() == loops.strength);
        same(losses, loops, data, false);
        ur::skills differences{{.directions = directions, .strength = .3}};
        differences.fit(data.embeddings, data.outcomes);
        same(differences, skills_by_loops(data.x, contrasts(data.losses), directions, .3), data, false);
      }
    }
    // Every LLM with a pattern of its own: the first four by their number of outcomes choose the strength.
    const auto gaps = draw(60, 4, 7, .25, 1, false, seed);
    ur::skills t{{.directions = 3, .target = ur::outcome_target::losses}};
    t.fit(gaps.embeddings, gaps.outcomes);
    const auto loops = skills_by_loops(gaps.x, gaps.losses, 3, {});
    CHECK(t.strength() == loops.strength);
    same(t, loops, gaps, false);
  }
}

TEST_CASE("item traits are those of plain loops: one ability or several, gaps, few rounds") {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    for (const std::size_t abilities : {1, 2, 3}) {
      for (const std::size_t rounds : {1, 2, 12}) {
        CAPTURE(seed, abilities, rounds);
        const auto data = draw(50, 4, seed == 4 ? 2 : 5, seed % 2 == 0 ? .2 : 0, 0, true, seed);
        ur::item_traits t{{.abilities = abilities, .rounds = rounds}};
        t.fit(data.embeddings, data.outcomes);
        // The sign of an ability beyond the first is the eigenvector's; traits follow it.
        same(t, traits_by_loops(data.x, data.losses, abilities, rounds), data, false);
      }
    }
  }
}

TEST_CASE("the first ability has its sign: a prompt that tells good LLMs from bad ones discriminates") {
  const auto data = draw(50, 4, 5, 0, 0, true, 3);
  ur::item_traits t{{.abilities = 1}};
  t.fit(data.embeddings, data.outcomes);
  same(t, traits_by_loops(data.x, data.losses, 1, 12), data, true);
}
