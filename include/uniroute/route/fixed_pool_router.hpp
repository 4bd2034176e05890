#pragma once

// A router whose pool has a size that its type knows: what two-model rules ask for.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <uniroute/concepts/routing_rule.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/predict/detail/roster.hpp>
#include <uniroute/random.hpp>
#include <uniroute/route/router.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// A pool of exactly N models, checked once. Made by `fix_pool<N>`.
template <std::size_t N>
struct pool_of {
  static constexpr std::size_t extent = N;
  std::array<std::string, N> models;  ///< in alphabetical order
};

/// Routes among the N models that a router had when `fix_pool` was called; nobody joins or leaves.
/// Const members are thread-safe; `route` of one prompt allocates nothing after the first call on a thread.
template <std::size_t N, class Router, class Rule>
class fixed_pool_router {
  static_assert(
      routing_rule_for<Rule, N>,
      "fix_pool: Rule must model routing_rule_for<Rule, N>: choose(candidates<N>) const -> index, save, load; a "
      "two-model rule takes pool_of<2> and no other");

 public:
  static constexpr std::size_t extent = N;  ///< models that the rule is shown

  explicit fixed_pool_router(Router router, Rule rule) : router_(std::move(router)), rule_(std::move(rule)) {
    detail::require(router_.size() == N, "fix_pool: the pool has ", router_.size(), " models, but must have exactly ",
                    N);
    const auto order = detail::alphabetical_order(router_.models());
    std::copy(order.begin(), order.end(), order_.begin());
  }

  pool_of<N> pool() const {
    pool_of<N> out;
    for (std::size_t h = 0; h < N; ++h) out.models[h] = router_.models()[order_[h]];
    return out;
  }
  std::span<const std::string> models() const noexcept { return router_.models(); }  ///< in order of enrolment
  const Rule& rule() const noexcept { return rule_; }
  const auto& reader() const noexcept { return router_.reader(); }
  std::size_t dimension() const noexcept { return router_.dimension(); }  ///< D

  /// γ̂ of a batch of embeddings: n x N, columns as in models().
  loss_matrix predict(const embedding_matrix& x) const { return router_.predict(x); }
  /// ĉ of a batch of embeddings: n x N, columns as in models().
  cost_matrix estimate_costs(const embedding_matrix& x) const { return router_.estimate_costs(x); }

  /// Routes one embedding (D values). Throws std::invalid_argument for another size.
  choice route(embedding_view x) const {
    detail::require(x.size() == router_.dimension(), "fixed_pool_router::route: the embedding has ", x.size(),
                    " values, but must have ", router_.dimension());
    detail::check_finite("fixed_pool_router::route", "embedding", x);
    std::array<double, N> losses, costs, sorted_losses, sorted_costs;
    router_.predictor_policy().predict(x, std::span<double>(losses));
    router_.costs().estimate(router_.predictor_policy(), x, std::span<double>(costs));
    for (std::size_t h = 0; h < N; ++h) {
      sorted_losses[h] = losses[order_[h]];
      sorted_costs[h] = costs[order_[h]];
    }
    const candidates<N> c{sorted_losses, sorted_costs, hash_bytes(x.data(), x.size() * sizeof(float))};
    const std::size_t index = order_[rule_.choose(c)];
    return {index, router_.models()[index], losses[index], costs[index]};
  }

  /// Routes one text. Allocates nothing after the first call on a thread.
  choice route(std::string_view prompt) const {
    static_assert(encoder<typename Router::reader_type>,
                  "fixed_pool_router::route: a text needs a router with an encoder as its first argument");
    thread_local std::vector<float> embedding;
    embedding.resize(router_.reader().dimension());
    router_.reader().encode(prompt, std::span<float>(embedding));
    return route(embedding_view(embedding));
  }
  choice route(const char* prompt) const { return route(std::string_view(prompt)); }

  /// Routes a batch of embeddings (n x D), each as alone. Returns n indices into models().
  std::vector<std::uint32_t> route(const embedding_matrix& x) const {
    std::vector<std::uint32_t> out(rows(x));
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint32_t>(route(row(x, i)).index);
    return out;
  }

 private:
  Router router_;
  [[no_unique_address]] Rule rule_;
  std::array<std::size_t, N> order_{};
};

/// The checked conversion from a run-time pool to one of N models.
/// Throws std::invalid_argument unless the router's pool has exactly N.
template <std::size_t N, class Router, class Rule>
fixed_pool_router<N, Router, Rule> fix_pool(Router router, Rule rule) {
  return fixed_pool_router<N, Router, Rule>(std::move(router), std::move(rule));
}

}  // namespace uniroute
