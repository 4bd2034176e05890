#pragma once

// What a router does on a table whose outcomes are known: its choices, what they cost and what came of them.

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/data/routing_table.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/encode/embed.hpp>
#include <uniroute/missing.hpp>
#include <uniroute/route/lagrangian_rule.hpp>
#include <uniroute/route/mean_cost.hpp>
#include <uniroute/route/sample_record.hpp>
#include <vector>

namespace uniroute::detail {

/// The column of each model of the router's pool in the table. Throws std::invalid_argument for one it lacks.
template <class Router, class Loss>
std::vector<std::size_t> pool_columns(const Router& router, const basic_routing_table<Loss>& table) {
  std::vector<std::size_t> out;
  for (const auto& model : router.models()) out.push_back(table.model_index(model));
  return out;
}

/// Refuses a table that shares prompts with a sample that the router has seen.
template <class Loss>
void require_fresh(std::string_view function, const sample_record& seen, const basic_routing_table<Loss>& table,
                   std::string_view by, std::string_view why) {
  const auto shared = seen.first_shared(table);
  if (shared)
    throw std::invalid_argument(text(function, ": prompt '", table.ids()[*shared], "' was seen by ", by,
                                     ", but the sample must not share prompts with it: ", why));
}

/// Refuses costs that are estimates where they count: at a price above 0, without a largest cost declared.
template <class Router>
void require_known_costs(std::string_view function, const Router& router, double lambda,
                         const std::optional<double>& largest_cost) {
  if (largest_cost) {
    require(*largest_cost >= 0 && std::isfinite(*largest_cost), function, ": largest_cost is ", *largest_cost,
            ", but must be finite and at least 0");
    return;
  }
  if (lambda == 0) return;
  if constexpr (std::same_as<typename Router::costs_type, mean_cost>) {
    for (std::size_t h = 0; h < router.size(); ++h)
      require(
          router.costs().is_declared(h), function, ": the cost of model '", router.models()[h],
          "' is a mean over the validation prompts, but must be known where lambda is above 0: declare the largest "
          "cost of a prompt (largest_cost in the options; costs are then the sample's), or one cost for every prompt "
          "(enroll with a number, or reprice)");
  } else {
    require(false, function,
            ": largest_cost is not declared, but must be where costs vary by prompt: no mean is bounded without it");
  }
}

/// (ℓ + λ c) / (1 + λ · largest) of the models in `of`, in [0, 1]; missing where ℓ is, and as they are for other
/// models. Throws std::domain_error for a cost above the largest.
template <class Loss>
loss_matrix objectives(std::string_view function, const basic_routing_table<Loss>& table,
                       std::span<const std::size_t> of, double lambda, double largest_cost) {
  loss_matrix out = table.losses();
  const double scale = 1 + lambda * largest_cost;
  for (std::size_t i = 0; i < table.size(); ++i) {
    for (const std::size_t h : of) {
      const double cost = table.costs()(i, h);
      require<std::domain_error>(cost <= largest_cost, function, ": a cost of model '", table.models()[h].name, "' is ",
                                 cost, ", but must be at most the declared largest, ", largest_cost);
      if (!is_missing(out(i, h))) out(i, h) = std::min(1.0, (out(i, h) + lambda * cost) / scale);
    }
  }
  return out;
}

/// Refuses labels that a design chose with unequal probabilities, on the prompts it chose them from.
template <class Router, class Loss>
void require_random_labels(std::string_view function, const Router& router, const basic_routing_table<Loss>& table) {
  if (router.labels_are_random()) return;
  const auto shared = router.enrolled_on().first_shared(table);
  if (shared)
    throw std::invalid_argument(text(
        function, ": the labels of prompt '", table.ids()[*shared],
        "' were chosen by a label design, but must be a random sample: give the table of all candidates, outcomes "
        "that were not asked for missing, to certify_with(inverse_probability{inclusion, least}, ...), or certify on "
        "other prompts"));
}

/// Choices, and losses and costs of every model of the pool (n x M, columns as in models()).
struct realised_sample {
  std::vector<std::uint32_t> choices;
  loss_matrix losses;
  cost_matrix costs;
  double largest_cost = 0;  ///< no cost can be above it
  double cost_range = 0;    ///< no difference of two costs can be above it
  double lambda = 0;
  std::size_t missing = 0;  ///< prompts whose chosen outcome is missing
};

/// Costs are those of the table if `largest_cost` is declared, else the router's one cost per model, which must be
/// declared too unless the price is 0.
/// Throws not_fitted, std::invalid_argument (prompts shared with what the router has seen, costs that are estimates and
/// no largest cost declared), std::domain_error (a cost above the declared one).
template <class Router, class Loss>
realised_sample realise(std::string_view function, const Router& router, const basic_routing_table<Loss>& table,
                        std::optional<double> lambda, std::optional<double> largest_cost) {
  constexpr bool one_cost = std::same_as<typename Router::costs_type, mean_cost>;
  require<not_fitted>(router.size() != 0, function, ": the pool is empty, but must have at least one model (enroll)");
  require(table.size() != 0, function, ": the table has 0 prompts, but must have at least 1");
  constexpr auto why = "what it promises holds for choices that do not know the sample";
  require_fresh(function, router.fitted_on(), table, "fit", why);
  require_fresh(function, router.enrolled_on(), table, "enroll", why);
  const auto columns = pool_columns(router, table);
  realised_sample out;
  if constexpr (std::same_as<typename Router::rule_type, lagrangian_rule>) {
    require(lambda || !router.rule().options().normalise_costs, function,
            ": the rule's costs are normalised, but lambda must be per unit cost (give it in the options)");
    out.lambda = router.rule().options().lambda;
  }
  if (lambda) out.lambda = *lambda;
  require(out.lambda >= 0, function, ": lambda is ", out.lambda, ", but must be at least 0");
  require_known_costs(function, router, out.lambda, largest_cost);
  out.choices = router.route(embed(router.reader(), table));
  const std::size_t n = table.size(), m = columns.size();
  out.losses = make_matrix<double>(n, m);
  out.costs = make_matrix<double>(n, m);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t h = 0; h < m; ++h) {
      out.losses(i, h) = table.losses()(i, columns[h]);
      if (largest_cost) {
        out.costs(i, h) = table.costs()(i, columns[h]);
        require<std::domain_error>(out.costs(i, h) <= *largest_cost, function, ": a cost of model '",
                                   router.models()[h], "' is ", out.costs(i, h),
                                   ", but must be at most the declared largest, ", *largest_cost);
      } else if constexpr (one_cost) {
        out.costs(i, h) = router.costs().costs()[h];
      }
    }
    out.missing += is_missing(out.losses(i, out.choices[i])) ? 1u : 0u;
  }
  out.largest_cost = largest_cost ? *largest_cost : *std::max_element(out.costs.begin(), out.costs.end());
  out.cost_range =
      largest_cost ? *largest_cost : out.largest_cost - *std::min_element(out.costs.begin(), out.costs.end());
  return out;
}

}  // namespace uniroute::detail
