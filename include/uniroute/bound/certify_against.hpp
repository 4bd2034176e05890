#pragma once

// By how much any router's risk may exceed that of the best rule of a class that was fixed beforehand: one bet against
// one unknown comparator, no union over cells and LLMs.

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <stdexcept>
#include <string_view>
#include <type_traits>
#include <uniroute/arrays.hpp>
#include <uniroute/bound/confidence_level.hpp>
#include <uniroute/concepts/cluster_map.hpp>
#include <uniroute/concepts/clustering.hpp>
#include <uniroute/data/held_out.hpp>
#include <uniroute/data/routing_table.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/encode/embed.hpp>
#include <uniroute/missing.hpp>
#include <uniroute/route/lagrangian_rule.hpp>
#include <uniroute/route/realised.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// The price at which `certify_against` weighs costs, and the largest of them.
struct certify_against_options {
  std::optional<double> lambda = {};        ///< the price in J = ℓ + λ c; not given: a Lagrangian rule's own, else 0
  std::optional<double> largest_cost = {};  ///< of any prompt on any LLM; must be declared where λ is above 0
};

/// Classes of rules to be compared with. They must be fixed before the sample is looked at.
namespace against {

/// Every rule that asks one LLM whatever the prompt.
struct best_single {};

/// Every rule that is constant on the cells of a clustering that was fitted on other prompts. Holds a copy.
template <clustering Clustering>
struct cells {
  Clustering clustering;
};
template <class Clustering>
cells(Clustering) -> cells<Clustering>;

/// Every rule there is, in hindsight: the best LLM for every single answer. No rule can be better, and how much of the
/// bound is luck that no rule can know is not said.
struct every_rule {};

/// Some rules, each by its choices for the prompts of the sample, as indices of the router's models(). Not to be chosen
/// by the sample's outcomes.
struct rules {
  std::vector<std::vector<std::uint32_t>> choices;
};

}  // namespace against

/// With probability `level` over the sample: J(router) − min over the class of J(rule) <= bound. J = E[ℓ + λ c].
struct comparator_certificate {
  double bound = 0;       ///< may be negative: the router is better than the class
  double difference = 0;  ///< of the same in the sample, in which the class is at its best: less than 0 is no promise
  double level = 0;       ///< 1 − δ
  double lambda = 0;
  std::size_t prompts = 0;
  std::size_t missing = 0;                ///< prompts whose chosen outcome is missing: it counts as 1, a rival's as 0
  std::vector<std::size_t> sizes;         ///< prompts of each cell (one cell: no cells; every rule: none listed)
  std::vector<std::uint32_t> comparator;  ///< the LLM of each cell that attains the bound; of `rules`: its number
  std::vector<double> differences;        ///< mean in the cell of J(router) − J(comparator), as a share of the sample
  double trivial = 0;                     ///< what holds without a sample: 1 + λ · largest cost
};

namespace detail {

/// Stakes as shares of the range, each with the same prior weight; from n and δ alone. A bet is best near sqrt(2
/// log(1/δ) / (n variance)): from the one that is best for a variance of 1, doubled up to .9, which leaves a little
/// capital whatever happens. Few of them, because each halves what is left to the others.
inline std::vector<double> comparator_stakes(std::size_t n, double delta) {
  std::vector<double> out;
  const double first = std::sqrt(2 * std::log(1 / delta) / static_cast<double>(n));
  for (double stake = first; stake < 0.9; stake *= 2) out.push_back(stake);
  out.push_back(0.9);
  return out;
}

/// D_i(h), n x M: what the router's choice lost and cost more than LLM h's, and cells of prompts.
struct comparison_sample {
  matrix<double> difference = make_matrix<double>(0, 0);
  label_vector cells;     ///< of each prompt; n cells of one prompt each for every rule
  std::size_t count = 0;  ///< of cells
  double range = 1;       ///< no |D| is above it
  /// Cells x LLMs: the log of the probability that a prior gives the router's choice in a cell where the comparator's
  /// is h; 0 x 0 where the choices do not know the sample.
  matrix<double> log_prior = make_matrix<double>(0, 0);
};

/// Σ_k min_h Σ_{i in k} log(1 + bet (m − D_i(h))), the least over rules of a log capital, `best` (if given) the LLM of
/// each cell. Logarithms of products: factors lie between 1 − stake and 1 + 2 stake, so that 64 do not overflow.
inline double least_log_capital(const comparison_sample& s, double bet, double m, std::vector<double>& logs,
                                std::vector<double>& products, std::vector<std::uint32_t>* best = nullptr) {
  const std::size_t n = rows(s.difference), models = columns(s.difference);
  logs.assign(s.count * models, 0.0);
  products.assign(s.count * models, 1.0);
  std::vector<std::uint8_t> turns(s.count, 0);
  for (std::size_t i = 0; i < n; ++i) {
    const auto d = row(s.difference, i);
    double* const product = products.data() + s.cells[i] * models;
    for (std::size_t h = 0; h < models; ++h) product[h] *= 1 + bet * (m - d[h]);
    if (++turns[s.cells[i]] < 64) continue;
    turns[s.cells[i]] = 0;
    double* const log = logs.data() + s.cells[i] * models;
    for (std::size_t h = 0; h < models; ++h) {
      log[h] += std::log(product[h]);
      product[h] = 1;
    }
  }
  double out = 0;
  if (best != nullptr) best->assign(s.count, 0);
  for (std::size_t k = 0; k < s.count; ++k) {
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t h = 0; h < models; ++h) {
      const double value = logs[k * models + h] + std::log(products[k * models + h]) +
                           (s.log_prior.size() == 0 ? 0.0 : s.log_prior(k, h));
      if (value >= least) continue;
      least = value;
      if (best != nullptr) (*best)[k] = static_cast<std::uint32_t>(h);
    }
    out += least;
  }
  return out;
}

/// log of the mixture over stakes of the least capital at m, a log e-value against "the mean of D(r*) is at least m"
/// for the unknown r* of the class, and the stake that has most of it. Rises with m.
inline std::pair<double, double> log_e_value(const comparison_sample& s, std::span<const double> stakes, double m) {
  constexpr double none = -std::numeric_limits<double>::infinity();
  std::vector<double> logs, products, of;
  double most = none, at = stakes[0];
  for (const double stake : stakes) {
    const double bet = stake / s.range;
    // Below 0, D may be farther from m than the range: the bet must still leave some capital.
    of.push_back(bet * (s.range - m) < 1 ? least_log_capital(s, bet, m, logs, products) : none);
    if (of.back() > most) {
      most = of.back();
      at = stake;
    }
  }
  if (most == none) return {none, at};
  double sum = 0;
  for (const double value : of) sum += std::exp(value - most);
  return {most + std::log(sum / static_cast<double>(of.size())), at};
}

/// The least m (to 1e-6 of the range, from above) whose e-value reaches 1/δ; the range if none does.
inline comparator_certificate bound_against(const comparison_sample& s, double delta) {
  comparator_certificate out;
  const double goal = std::log(1 / delta);
  const auto stakes = comparator_stakes(rows(s.difference), delta);
  double low = -s.range, high = s.range;
  if (log_e_value(s, stakes, high).first >= goal) {
    while (high - low > 1e-6 * s.range) {
      const double middle = (low + high) / 2;
      (log_e_value(s, stakes, middle).first >= goal ? high : low) = middle;
    }
  }
  out.bound = high;
  out.trivial = s.range;
  out.prompts = rows(s.difference);
  std::vector<double> logs, products;
  const double bet = log_e_value(s, stakes, high).second / s.range;
  least_log_capital(s, bet, high, logs, products, &out.comparator);
  out.sizes.assign(s.count, 0);
  out.differences.assign(s.count, 0.0);
  const double n = static_cast<double>(out.prompts);
  for (std::size_t i = 0; i < out.prompts; ++i) {
    const std::size_t k = s.cells[i];
    ++out.sizes[k];
    out.differences[k] += s.difference(i, out.comparator[k]) / n;
  }
  for (const double d : out.differences) out.difference += d;
  return out;
}

/// D_i(h) from outcomes and costs of the pool (n x M, columns as in models()), missing ones against the router.
inline matrix<double> differences_of(std::span<const std::uint32_t> choices, const loss_matrix& losses,
                                     const cost_matrix& costs, double lambda) {
  auto out = make_matrix<double>(rows(losses), columns(losses), 0.0);
  for (std::size_t i = 0; i < rows(losses); ++i) {
    const std::size_t r = choices[i];
    for (std::size_t h = 0; h < columns(losses); ++h) {
      if (h == r) continue;  // 0: the same answer
      const double price = lambda == 0 ? 0 : lambda * (costs(i, r) - costs(i, h));
      out(i, h) = or_else(losses(i, r), 1) - or_else(losses(i, h), 0) + price;
    }
  }
  return out;
}

template <class T>
inline constexpr bool is_cells_class = false;
template <class Clustering>
inline constexpr bool is_cells_class<against::cells<Clustering>> = true;

template <class T>
concept comparator_class = std::same_as<T, against::best_single> || std::same_as<T, against::every_rule> ||
    std::same_as<T, against::rules> || is_cells_class<T>;

/// Puts the class into the sample: cells, or for a list of rules one column a rule.
template <class Comparators>
void set_class(std::string_view function, const Comparators& comparators, const embedding_matrix& x,
               comparison_sample& s) {
  const std::size_t n = rows(s.difference);
  if constexpr (std::same_as<Comparators, against::best_single>) {
    s.cells.assign(n, 0);
    s.count = 1;
  } else if constexpr (std::same_as<Comparators, against::every_rule>) {
    // One cell, whose only rival is the best answer to each prompt.
    auto best = make_matrix<double>(n, 1);
    for (std::size_t i = 0; i < n; ++i) {
      const auto d = row(s.difference, i);
      best(i, 0) = *std::max_element(d.begin(), d.end());
    }
    s.difference = std::move(best);
    s.cells.assign(n, 0);
    s.count = 1;
  } else if constexpr (std::same_as<Comparators, against::rules>) {
    require(!comparators.choices.empty(), function, ": rules has 0 rules, but must have at least 1");
    auto of = make_matrix<double>(n, comparators.choices.size());
    for (std::size_t c = 0; c < comparators.choices.size(); ++c) {
      const auto& choices = comparators.choices[c];
      require(choices.size() == n, function, ": rule ", c, " has ", choices.size(),
              " choices, but must have one for each prompt of the sample, ", n);
      for (std::size_t i = 0; i < n; ++i) {
        require(choices[i] < columns(s.difference), function, ": a choice of rule ", c, " is ", choices[i],
                ", but must be below the number of models, ", columns(s.difference));
        of(i, c) = s.difference(i, choices[i]);
      }
    }
    s.difference = std::move(of);
    s.cells.assign(n, 0);
    s.count = 1;
  } else {
    s.count = comparators.clustering.size();
    require<not_fitted>(s.count != 0, function, ": the comparators' clustering has no cells: fit must come first");
    s.cells = comparators.clustering.assign(x);
  }
}

/// The rule's price where it is a Lagrangian one per unit cost.
template <class Router>
double price_of(std::string_view function, [[maybe_unused]] const Router& router, const std::optional<double>& given) {
  double lambda = given.value_or(0);
  if constexpr (requires { requires std::same_as<std::remove_cvref_t<decltype(router.rule())>, lagrangian_rule>; }) {
    require(given || !router.rule().options().normalise_costs, function,
            ": the rule's costs are normalised, but lambda must be per unit cost (give it in the options)");
    if (!given) lambda = router.rule().options().lambda;
  }
  require(lambda >= 0 && std::isfinite(lambda), function, ": lambda is ", lambda,
          ", but must be finite and at least 0");
  return lambda;
}

/// A router's choices on a table, as differences to every LLM of its pool.
struct gathered_differences {
  matrix<double> difference = make_matrix<double>(0, 0);
  embedding_matrix x = make_matrix<float>(0, 0);
  std::vector<std::uint32_t> choices;
  double range = 1, lambda = 0;
  std::size_t missing = 0;
};

template <class Router, class Loss>
gathered_differences gather_differences(std::string_view where, const Router& router,
                                        const basic_routing_table<Loss>& table,
                                        const certify_against_options& options) {
  gathered_differences out;
  out.lambda = price_of(where, router, options.lambda);
  const double lambda = out.lambda, largest = options.largest_cost.value_or(0);
  require(lambda == 0 || options.largest_cost, where,
          ": largest_cost is not declared, but must be where lambda is above 0: no mean is bounded without it");
  require(largest >= 0 && std::isfinite(largest), where, ": largest_cost is ", largest,
          ", but must be finite and at least 0");
  const auto columns_of = pool_columns(router, table);
  std::vector<std::size_t> all(table.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  const auto losses = take(table.losses(), all, columns_of);
  const auto costs = take(table.costs(), all, columns_of);
  for (std::size_t i = 0; lambda > 0 && i < rows(costs); ++i) {
    for (std::size_t h = 0; h < columns(costs); ++h)
      require<std::domain_error>(costs(i, h) <= largest, where, ": a cost of model '", router.models()[h], "' is ",
                                 costs(i, h), ", but must be at most the declared largest, ", largest);
  }
  out.x = embed(router.reader(), table);
  out.choices = router.route(out.x);
  out.difference = differences_of(out.choices, losses, costs, lambda);
  out.range = 1 + lambda * largest;
  for (std::size_t i = 0; i < out.choices.size(); ++i) out.missing += is_missing(losses(i, out.choices[i])) ? 1u : 0u;
  return out;
}

}  // namespace detail

/// Certifies any router against the best rule of a class that was fixed beforehand, on held-out prompts, which are
/// spent: the supremum of the m that no mixture of bets on D = J(router) − J(r*) rejects, r* the class's best (proof:
/// docs/theory.md, section 11; bets after Waudby-Smith and Ramdas 2010.09686). Needs no interval for shares of cells
/// and no order of rows. The router is anything with models(), reader() and a batched route(embeddings). One λ, fixed
/// beforehand; costs are the table's, none above the declared largest. A missing outcome counts against the router.
/// O(n M) for each of some five bets and 20 steps.
/// Throws not_fitted, std::invalid_argument (prompts that the router was fitted or enrolled on, a model that the table
/// lacks, λ above 0 without a largest cost, shapes), std::domain_error for a cost above the declared one.
template <class Router, class Sample, class Comparators>
comparator_certificate certify_against(const Router& router, Sample&& sample, const Comparators& comparators,
                                       confidence_level level, const certify_against_options& options = {}) {
  constexpr auto where = "certify_against";
  detail::require_handed_over<Sample>();
  static_assert(
      detail::is_held_out<std::remove_cvref_t<Sample>>,
      "certify_against: the sample must be held_out{table}: what is promised holds on prompts that nothing was "
      "fitted, enrolled or chosen on, and the type says so");
  static_assert(detail::comparator_class<Comparators>,
                "certify_against: Comparators must be a class of rules that is fixed beforehand: against::best_single, "
                "against::cells{clustering}, against::every_rule or against::rules");
  comparator_certificate out;
  if constexpr (detail::is_handed_over<Sample> && detail::comparator_class<Comparators>) {
    const auto spent = std::move(sample);
    const auto& table = spent.table();
    detail::require<not_fitted>(!router.models().empty(), where,
                                ": the pool is empty, but must have at least one model (enroll)");
    detail::require(table.size() != 0, where, ": the table has 0 prompts, but must have at least 1");
    if constexpr (requires { router.fitted_on(); }) {
      constexpr auto why = "what it promises holds for choices that do not know the sample";
      detail::require_fresh(where, router.fitted_on(), table, "fit", why);
      detail::require_fresh(where, router.enrolled_on(), table, "enroll", why);
    }
    const auto of = detail::gather_differences(where, router, table, options);
    detail::comparison_sample s{of.difference, {}, 0, of.range, make_matrix<double>(0, 0)};
    detail::set_class(where, comparators, of.x, s);
    out = detail::bound_against(s, level.delta() * spent.share());
    out.level = level.value();
    out.lambda = of.lambda;
    out.missing = of.missing;
  }
  return out;
}

/// The same for a router whose choices are constant on its cells, on the very prompts that its LLMs were enrolled with,
/// against the best rule that is constant on the same cells: nothing is held out, and the price is a prior over what
/// the router might have chosen, π = 1 − ρ for the comparator's own choice and ρ / (M − 1) for any other, cell by cell,
/// ρ = min(1/2, 1/K) (docs/theory.md, section 11). The cells and λ must not come from these prompts. Throws as
/// `certify_against`; std::invalid_argument also for labels that a design chose and for choices that are not constant
/// on a cell.
template <class Router, class Loss>
comparator_certificate certify_against_own_cells(const Router& router, const basic_routing_table<Loss>& enrolled,
                                                 confidence_level level, const certify_against_options& options = {}) {
  constexpr auto where = "certify_against_own_cells";
  static_assert(
      requires { requires hard_cluster_map<std::remove_cvref_t<decltype(router.predictor_policy().map())>>; },
      "certify_against_own_cells: the router's predictor must be cell-based with hard cells (nearest_map): the prior "
      "is "
      "over its choices in the cells");
  detail::require<not_fitted>(router.size() != 0, where,
                              ": the pool is empty, but must have at least one model (enroll)");
  detail::require(enrolled.size() != 0, where, ": the table has 0 prompts, but must have at least 1");
  detail::require_fresh(where, router.fitted_on(), enrolled, "fit",
                        "the cells must not know the prompts that LLMs are enrolled with");
  detail::require_random_labels(where, router, enrolled);
  const auto of = detail::gather_differences(where, router, enrolled, options);
  detail::comparison_sample s{of.difference, router.predictor_policy().map().labels(of.x),
                              router.predictor_policy().map().size(), of.range, make_matrix<double>(0, 0)};
  // What the router chooses in each cell, also in those that have no prompt here: at their centroids.
  const embedding_matrix& centroids = router.predictor_policy().clustering_policy().centroids();
  const auto chosen = router.route(centroids);
  const auto home = router.predictor_policy().map().labels(centroids);
  for (std::size_t i = 0; i < of.choices.size(); ++i)
    detail::require(of.choices[i] == chosen[s.cells[i]] || home[s.cells[i]] != s.cells[i], where,
                    ": the choices in cell ", s.cells[i], " differ, but must be the same for every prompt of a cell");
  const double m = static_cast<double>(router.size());
  const double rho = std::min(0.5, 1 / static_cast<double>(s.count));
  s.log_prior = make_matrix<double>(s.count, router.size(), 0.0);
  for (std::size_t k = 0; m > 1 && k < s.count; ++k) {
    // A centroid that lies on another's says nothing of its own cell: the choice there counts as unlike any.
    for (std::size_t h = 0; h < router.size(); ++h)
      s.log_prior(k, h) = home[k] == k && chosen[k] == h ? std::log(1 - rho) : std::log(rho / (m - 1));
  }
  auto out = detail::bound_against(s, level.delta());
  out.level = level.value();
  out.lambda = of.lambda;
  out.missing = of.missing;
  return out;
}

/// Certificates of one router at several prices, all at once with probability `level`.
struct comparator_path {
  std::vector<comparator_certificate> at_prices;  ///< by rising λ

  /// The bound at any price between the first and the last: that of a fixed router to the best of a class is convex in
  /// λ, so that the chord is above it. Throws std::invalid_argument outside.
  double bound(double lambda) const {
    detail::require(!at_prices.empty() && lambda >= at_prices.front().lambda && lambda <= at_prices.back().lambda,
                    "comparator_path::bound: lambda is ", lambda, ", but must be between the first price and the last");
    std::size_t after = 0;
    while (at_prices[after].lambda < lambda) ++after;
    if (after == 0 || at_prices[after].lambda == lambda) return at_prices[after].bound;
    const auto &left = at_prices[after - 1], &right = at_prices[after];
    const double t = (lambda - left.lambda) / (right.lambda - left.lambda);
    return (1 - t) * left.bound + t * right.bound;
  }

  /// With the same probability: E ℓ of the router less that of the best rule of the class that costs no more than it,
  /// the least of the bounds at the prices (and no λ has to be named): ℓ(r) − ℓ(r') = J(r) − J(r') − λ (c(r) − c(r')).
  double at_its_cost() const {
    detail::require(!at_prices.empty(), "comparator_path::at_its_cost: there are 0 prices, but must be at least 1");
    double out = at_prices.front().bound;
    for (const auto& c : at_prices) out = std::min(out, c.bound);
    return out;
  }
};

/// Prices of which one unit of the largest cost is worth 0, .03, .1, .3, 1 and 3 of quality: a grid that no sample has
/// to be looked at for. Throws std::invalid_argument for a largest cost that is not positive and finite.
inline std::vector<double> price_grid(double largest_cost) {
  detail::require(largest_cost > 0 && std::isfinite(largest_cost), "price_grid: largest_cost is ", largest_cost,
                  ", but must be finite and above 0");
  std::vector<double> out;
  for (const double worth : {0.0, 0.03, 0.1, 0.3, 1.0, 3.0}) out.push_back(worth / largest_cost);
  return out;
}

/// `certify_against` at each of `prices` (rising, fixed beforehand), δ shared evenly: one router, whose choices are the
/// same at every price. The sample is spent. Throws as `certify_against`, and std::invalid_argument for no prices or
/// prices that do not rise.
template <class Router, class Sample, class Comparators>
comparator_path certify_path(const Router& router, Sample&& sample, const Comparators& comparators,
                             confidence_level level, std::span<const double> prices, double largest_cost) {
  detail::require_handed_over<Sample>();
  comparator_path out;
  if constexpr (detail::is_handed_over<Sample>) {
    detail::require(
        !prices.empty() && std::adjacent_find(prices.begin(), prices.end(), std::greater_equal<>()) == prices.end(),
        "certify_path: prices has ", prices.size(), " entries, but must have at least 1, and they must rise");
    auto shares = std::move(sample).shares(prices.size());
    for (std::size_t i = 0; i < prices.size(); ++i)
      out.at_prices.push_back(certify_against(router, std::move(shares[i]), comparators, level,
                                              {.lambda = prices[i], .largest_cost = largest_cost}));
  }
  return out;
}

}  // namespace uniroute
