#pragma once

// By how much any router's risk may exceed that of the best rule of a class that was fixed beforehand: one bet against
// one unknown comparator, no union over cells and LLMs.

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string_view>
#include <type_traits>
#include <uniroute/arrays.hpp>
#include <uniroute/bound/comparators.hpp>
#include <uniroute/bound/confidence_level.hpp>
#include <uniroute/bound/detail/comparison_sample.hpp>
#include <uniroute/concepts/cluster_map.hpp>
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
  /// One for each prompt of the sample, at least 0, with the mean 1 over the law that prompts were drawn from: J is
  /// then that of prompts so weighted. Inverse probabilities of a label design (over its candidates: 0 where no label
  /// was asked for), or the ratio of a target's law to the sample's. Empty: all 1.
  std::vector<double> weights = {};
  double largest_weight = 1;  ///< no weight can be above it; declared, because no mean is bounded without it
};

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
  double largest_weight = 1;              ///< where prompts were weighted

  /// The bound for any other law of prompts within total variation `tau` of the sample's (and the same answers given
  /// the prompt): no mean of a difference in ±trivial moves by more than 2 τ · trivial. Throws std::invalid_argument
  /// for a tau outside [0, 1].
  double under_shift(double tau) const {
    detail::require(tau >= 0 && tau <= 1, "comparator_certificate::under_shift: tau is ", tau,
                    ", but must be in [0, 1]");
    return std::min(trivial, bound + 2 * tau * trivial);
  }
};

namespace detail {

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

/// Refuses a sample that is none for this router: no prompts, no pool, prompts that it has seen.
template <class Router, class Loss>
void check_fresh_sample(std::string_view where, const Router& router, const basic_routing_table<Loss>& table) {
  require<not_fitted>(!router.models().empty(), where,
                      ": the pool is empty, but must have at least one model (enroll)");
  require(table.size() != 0, where, ": the table has 0 prompts, but must have at least 1");
  if constexpr (requires { router.fitted_on(); }) {
    constexpr auto why = "what it promises holds for choices that do not know the sample";
    require_fresh(where, router.fitted_on(), table, "fit", why);
    require_fresh(where, router.enrolled_on(), table, "enroll", why);
  }
}

/// Refuses weights that are none.
inline void check_weights(std::string_view where, const certify_against_options& options, std::size_t prompts) {
  require(options.largest_weight >= 1 && std::isfinite(options.largest_weight), where, ": largest_weight is ",
          options.largest_weight, ", but must be finite and at least 1, the mean of the weights");
  require(options.weights.empty() || options.weights.size() == prompts, where, ": weights has ", options.weights.size(),
          " entries, but must have none or one for each prompt of the sample, ", prompts);
  for (std::size_t i = 0; i < options.weights.size(); ++i)
    require<std::domain_error>(options.weights[i] >= 0 && options.weights[i] <= options.largest_weight, where,
                               ": the weight of prompt ", i, " is ", options.weights[i],
                               ", but must be from 0 to the declared largest, ", options.largest_weight);
}

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
  check_weights(where, options, table.size());
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
  if (!options.weights.empty()) {
    for (std::size_t i = 0; i < table.size(); ++i) {
      for (double& d : row(out.difference, i)) d *= options.weights[i];
    }
    out.range *= options.largest_weight;
  }
  for (std::size_t i = 0; i < out.choices.size(); ++i) out.missing += is_missing(losses(i, out.choices[i])) ? 1u : 0u;
  return out;
}

/// A sample as a router with hard cells sees it.
struct own_cells_sample {
  gathered_differences gathered;
  label_vector labels;
  std::vector<std::uint32_t> chosen;  ///< in each cell, also in those that have no prompt here: at their centroids
  std::vector<char> is_home;          ///< 0: the centroid lies on another's and says nothing of its own cell
};

template <class Router, class Loss>
own_cells_sample sample_of_own_cells(std::string_view where, const Router& router,
                                     const basic_routing_table<Loss>& table, const certify_against_options& options) {
  static_assert(
      requires { requires hard_cluster_map<std::remove_cvref_t<decltype(router.predictor_policy().map())>>; },
      "certify: the router's predictor must be cell-based with hard cells (nearest_map): what is certified is its "
      "choice "
      "in each cell");
  require<not_fitted>(router.size() != 0, where, ": the pool is empty, but must have at least one model (enroll)");
  require(table.size() != 0, where, ": the table has 0 prompts, but must have at least 1");
  require_fresh(where, router.fitted_on(), table, "fit",
                "the cells must not know the prompts that LLMs are enrolled with");
  require_random_labels(where, router, table);
  own_cells_sample out{gather_differences(where, router, table, options), {}, {}, {}};
  const auto& map = router.predictor_policy().map();
  out.labels = map.labels(out.gathered.x);
  const embedding_matrix& centroids = router.predictor_policy().clustering_policy().centroids();
  out.chosen = router.route(centroids);
  const auto home = map.labels(centroids);
  for (std::size_t k = 0; k < home.size(); ++k) out.is_home.push_back(home[k] == k);
  for (std::size_t i = 0; i < out.labels.size(); ++i) {
    const std::size_t k = out.labels[i];
    require(out.gathered.choices[i] == out.chosen[k] || !out.is_home[k], where, ": the choices in cell ", k,
            " differ, but must be the same for every prompt of a cell");
  }
  return out;
}

/// What is said of a bound: of each cell, and of the sample.
inline comparator_certificate describe(const comparison_sample& s, comparator_bound found, confidence_level level,
                                       const gathered_differences& of, const certify_against_options& options) {
  comparator_certificate out;
  out.largest_weight = options.weights.empty() ? 1 : options.largest_weight;
  out.trivial = s.range / out.largest_weight;
  out.bound = std::min(found.bound, out.trivial);
  out.level = level.value();
  out.lambda = of.lambda;
  out.missing = of.missing;
  out.prompts = rows(s.difference);
  out.comparator = std::move(found.rivals);
  out.sizes.assign(s.count, 0);
  out.differences.assign(s.count, 0.0);
  for (std::size_t i = 0; i < out.prompts; ++i) {
    const std::size_t k = s.cells[i];
    ++out.sizes[k];
    out.differences[k] += s.difference(i, out.comparator[k]) / static_cast<double>(out.prompts);
  }
  for (const double d : out.differences) out.difference += d;
  return out;
}

}  // namespace detail

/// Certifies any router against the best rule of a class that was fixed beforehand, on held-out prompts, which are
/// spent: the supremum of the m that a bet on D = J(router) − J(r*) does not reject, r* the class's best (proof:
/// docs/theory.md, section 11; bets after Waudby-Smith and Ramdas 2010.09686). Needs no interval for shares of cells.
/// Rows may come in any order and are bet on in the one that a fixed seed draws; the promise is over sample and seed.
/// The router is anything with models(), reader() and a batched route(embeddings). One λ, fixed beforehand; costs are
/// the table's, none above the declared largest. A missing outcome counts against the router. O(n M) for each of some
/// eleven steps.
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
    detail::check_fresh_sample(where, router, table);
    const auto of = detail::gather_differences(where, router, table, options);
    detail::comparison_sample s{of.difference, {}, 0, of.range, make_matrix<double>(0, 0)};
    detail::set_class(where, comparators, of.x, s);
    out = detail::describe(s, detail::bound_against(s, level.delta() * spent.share()), level, of, options);
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
  const auto own = detail::sample_of_own_cells(where, router, enrolled, options);
  detail::comparison_sample s{own.gathered.difference, own.labels, own.chosen.size(), own.gathered.range,
                              make_matrix<double>(0, 0)};
  const double m = static_cast<double>(router.size());
  const double rho = std::min(0.5, 1 / static_cast<double>(s.count));
  s.log_prior = make_matrix<double>(s.count, router.size(), 0.0);
  for (std::size_t k = 0; m > 1 && k < s.count; ++k) {
    // Where the choice is not known it counts as unlike any.
    for (std::size_t h = 0; h < router.size(); ++h)
      s.log_prior(k, h) = own.is_home[k] && own.chosen[k] == h ? std::log(1 - rho) : std::log(rho / (m - 1));
  }
  return detail::describe(s, detail::bound_with_prior(s, level.delta()), level, own.gathered, options);
}

}  // namespace uniroute
