// A deferral curve beside what it cannot do without: one pass over predictions, a sort of its switching points, and a
// sort a row where costs vary by prompt.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <ratio.hpp>
#include <string>
#include <uniroute/evaluate/deferral_curve.hpp>

namespace {

using namespace uniroute_benchmarks;
namespace ur = uniroute;

/// Dearer models are better on average, by less than prompts vary.
struct problem {
  ur::loss_matrix predicted, losses;
  ur::cost_matrix costs, estimates;
  std::vector<double> lambdas;  ///< the curve's switching points, shuffled

  problem(std::size_t n, std::size_t m, bool by_prompt, std::uint64_t seed)
      : predicted(ur::make_matrix<double>(n, m)),
        losses(ur::make_matrix<double>(n, m)),
        costs(ur::make_matrix<double>(n, m)),
        estimates(ur::make_matrix<double>(by_prompt ? n : 1, m)) {
    ur::random_engine draws(seed);
    for (std::size_t i = 0; i < n; ++i) {
      const double hard = draws.uniform();
      for (std::size_t h = 0; h < m; ++h) {
        const double share = (static_cast<double>(h) + 0.5) / static_cast<double>(m);
        predicted(i, h) = std::clamp(hard - 0.3 * share + 0.15 * draws.normal(), 0.0, 1.0);
        losses(i, h) = draws.uniform() < predicted(i, h) ? 1 : 0;
        costs(i, h) = std::exp(4 * share) * (0.5 + draws.uniform());
        if (by_prompt || i == 0) estimates(i, h) = by_prompt ? costs(i, h) : std::exp(4 * share);
      }
    }
    for (const auto& point : ur::trace_curve(predicted, estimates, losses, costs).points)
      lambdas.push_back(point.lambda);
    ur::shuffle(std::span(lambdas), draws);
  }
};

/// Problems of one shape, taken in turn. A branch predictor learns a short sort by heart if the same numbers come again
/// and again, which no experiment does: small problems are many.
class problems {
 public:
  problems(std::size_t n, std::size_t m, bool by_prompt) {
    const std::size_t count = std::max<std::size_t>(1, 1000000 / (n * m));
    for (std::size_t seed = 0; seed < count; ++seed)
      all_.push_back(std::make_unique<problem>(n, m, by_prompt, 21 + seed));
  }

  const problem& next() noexcept { return *all_[turn_++ % all_.size()]; }

 private:
  std::vector<std::unique_ptr<problem>> all_;
  std::size_t turn_ = 0;
};

void trace(benchmark::State& state, problems& all) {
  for (auto _ : state) {
    const problem& p = all.next();
    const auto curve = ur::trace_curve(p.predicted, p.estimates, p.losses, p.costs);
    benchmark::DoNotOptimize(curve.points.data());
  }
}

void pass_and_sorts(benchmark::State& state, problems& all) {
  std::vector<double> lambdas;
  std::vector<std::size_t> order;
  for (auto _ : state) {
    const problem& p = all.next();
    double lanes[8] = {};
    for (std::size_t i = 0; i + 8 <= p.predicted.size(); i += 8) {
      for (std::size_t l = 0; l < 8; ++l) lanes[l] += p.predicted.data()[i + l];
    }
    benchmark::DoNotOptimize(lanes);
    for (std::size_t i = 0; ur::rows(p.estimates) > 1 && i < ur::rows(p.estimates); ++i) {
      const auto costs = ur::row(p.estimates, i);
      order.resize(costs.size());
      for (std::size_t h = 0; h < order.size(); ++h) order[h] = h;
      std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return costs[a] < costs[b]; });
      benchmark::DoNotOptimize(order.data());
    }
    lambdas = p.lambdas;
    std::sort(lambdas.begin(), lambdas.end());
    benchmark::DoNotOptimize(lambdas.data());
  }
}

bool add(const std::string& name, std::size_t n, std::size_t m, bool by_prompt) {
  const auto made = [=]() -> problems& {
    static std::vector<std::pair<std::string, std::unique_ptr<problems>>> all;
    for (const auto& [of, shape] : all) {
      if (of == name) return *shape;
    }
    return *all.emplace_back(name, std::make_unique<problems>(n, m, by_prompt)).second;
  };
  return add_ratio(
      name, [made](benchmark::State& state) { trace(state, made()); },
      by_prompt ? "one pass, row sorts, sort of its points" : "one pass, sort of its points",
      [made](benchmark::State& state) { pass_and_sorts(state, made()); }, 2.0);
}

const bool added = add("curve_10000x100", 10000, 100, false) && add("curve_10000x100_varying", 10000, 100, true) &&
                   add("curve_3600x9", 3600, 9, false);

}  // namespace
