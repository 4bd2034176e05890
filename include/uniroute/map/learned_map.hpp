#pragma once

// Soft memberships learned from the seen LLMs' outcomes: the paper's learned cluster map.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <optional>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/cluster_map.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/map/detail/membership_loss.hpp>
#include <uniroute/map/proximity_map.hpp>
#include <uniroute/numeric/lbfgs.hpp>
#include <uniroute/numeric/nearest.hpp>
#include <uniroute/numeric/softmax_cells.hpp>
#include <uniroute/random.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// Where a fit stands, for a progress callback.
struct learned_map_progress {
  bool refit;                       ///< whether this is the second fit, on everything
  std::size_t step;                 ///< from 1
  double loss;                      ///< training log loss an outcome, with the weight decay
  std::optional<double> held_loss;  ///< log loss an outcome of held-back LLMs on held-back prompts; none in the refit
};

/// How Ψ, fixed during the fit, is made of the seen LLMs' training outcomes.
enum class profile_assignment {
  nearest,  ///< each prompt counts in the cell of its nearest centroid (the paper's)
  soft      ///< each prompt counts in every cell, by the memberships that the fit starts from
};

/// How `learned_map` is trained.
struct learned_map_options {
  proximity_map_options start = {};  ///< the memberships that the fit starts from
  double temperature = 1;            ///< divides the logits of the start: above 1 it is softer than the proximity map
  double weight_decay = 1e-4;        ///< on the squared distance from the start, per outcome's log loss; at least 0
  std::size_t max_steps = 40;        ///< of L-BFGS; 0: the start
  std::size_t patience = 5;          ///< steps without a better held-back loss before the fit stops
  double held_models = 0.3;          ///< share of the seen LLMs that decide when to stop
  double held_prompts = 0.3;         ///< share of the prompts that they are scored on
  bool refit = true;                 ///< then as many steps again, on all LLMs and prompts
  double smoothing = 1;              ///< outcomes of an LLM's mean added to each of its cells in Ψ; above 0
  profile_assignment profiles = profile_assignment::nearest;
  std::uint64_t seed = 1;                                         ///< which LLMs and prompts are held back
  std::function<void(const learned_map_progress&)> on_step = {};  ///< called on the fitting thread

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("start", of.start);
    visit("temperature", of.temperature);
    visit("weight_decay", of.weight_decay);
    visit("max_steps", of.max_steps);
    visit("patience", of.patience);
    visit("held_models", of.held_models);
    visit("held_prompts", of.held_prompts);
    visit("refit", of.refit);
    visit("smoothing", of.smoothing);
    visit("profiles", of.profiles);
    visit("seed", of.seed);
  }
};

/// Φ(x) = softmax(θ·(x, 1) / temperature), where θ minimises the log loss of γ = Φ Ψ over training prompts and seen
/// LLMs, Ψ fixed from the cells, missing outcomes left out (UniRoute, section 5.2).
///
/// The fit starts at the proximity map (θ_k = 2c_k / bandwidth, −|c_k|² / bandwidth), whose memberships of a
/// batch it reproduces to the bit at temperature 1. It stops at the step that was best for LLMs and prompts held back:
/// those LLMs' Ψ is made, as at enrolment, from memberships on the other prompts. No step better than the start leaves
/// the start. Fallbacks: without a seen LLM, or without an outcome to fit and one to score, the map is the start; a
/// single seen LLM is scored on held-back prompts only. Differs from the paper: weights decay towards the start and not
/// towards zero, because zero is one cell for all (ZeroRouter) and the start is already a router; Ψ is smoothed; L-BFGS
/// instead of Adam, as batches are small. Const members are thread-safe.
class learned_map {
 public:
  using membership_type = soft_membership;

  /// Throws std::invalid_argument for options out of range.
  explicit learned_map(learned_map_options options = {}) : options_(std::move(options)) {
    const auto positive = [](std::string_view name, double value) {
      detail::require(value > 0 && std::isfinite(value), "learned_map: ", name, " is ", value,
                      ", but must be finite and above 0");
    };
    const auto share = [](std::string_view name, double value) {
      detail::require(value > 0 && value < 1, "learned_map: ", name, " is ", value,
                      ", but must be above 0 and below 1");
    };
    (void)proximity_map(options_.start);  // has rules of its own
    positive("temperature", options_.temperature);
    positive("smoothing", options_.smoothing);
    share("held_models", options_.held_models);
    share("held_prompts", options_.held_prompts);
    detail::require(options_.weight_decay >= 0 && std::isfinite(options_.weight_decay), "learned_map: weight_decay is ",
                    options_.weight_decay, ", but must be finite and at least 0");
    detail::require(options_.patience >= 1, "learned_map: patience is 0, but must be at least 1");
  }

  /// Cost: per step two n x D x K and two n x K x seen products, and a pass over n x D x K for the held-back loss.
  /// Throws std::invalid_argument for shapes; a throw leaves the map as it was.
  void fit(const map_training_set& training) {
    detail::require(rows(training.centroids) >= 1, "learned_map::fit: centroids has 0 rows, but must have at least 1");
    detail::require(columns(training.centroids) == columns(training.embeddings), "learned_map::fit: centroids has ",
                    columns(training.centroids), " columns, but embeddings has ", columns(training.embeddings));
    detail::require(rows(training.losses) == rows(training.embeddings), "learned_map::fit: losses has ",
                    rows(training.losses), " rows, but embeddings has ", rows(training.embeddings));
    proximity_map start(options_.start);
    start.fit(training);
    learned_map next(options_);
    next.centroids_ = training.centroids;
    next.weights_ = training.centroids;
    next.offsets_ = detail::squared_norms(training.centroids);
    next.scale_ = start.bandwidth() * options_.temperature;
    next.learn(training);
    *this = std::move(next);
  }

  std::size_t size() const noexcept { return rows(weights_); }          ///< K; 0 before fit
  std::size_t dimension() const noexcept { return columns(weights_); }  ///< D; 0 before fit
  std::size_t steps() const noexcept { return steps_; }  ///< of L-BFGS that the map is away from its start
  const learned_map_options& options() const noexcept { return options_; }

  /// θ, K x (D + 1): Φ(x) = softmax(θ (x, 1)).
  matrix<double> weights() const {
    const std::size_t d = dimension();
    auto out = make_matrix<double>(size(), d + 1);
    for (std::size_t k = 0; k < size(); ++k) {
      for (std::size_t j = 0; j < d; ++j) out(k, j) = 2 * static_cast<double>(weights_(k, j)) / scale_;
      out(k, d) = -offsets_[k] / scale_;
    }
    return out;
  }

  /// Φ of each row of x, n x K, in float64 throughout.
  membership_matrix memberships(const embedding_matrix& x) const {
    return detail::softmax_cells(x, weights_, offsets_, scale_);
  }

  /// Φ(x) of one embedding into out (K values), in float64 throughout. Allocates nothing.
  void membership(embedding_view x, std::span<double> out) const {
    for (std::size_t c = 0; c < size(); ++c)
      out[c] = offsets_[c] - 2 * detail::wide_dot(x.data(), row(weights_, c).data(), dimension());
    detail::softmax_of_scores(out.first(size()), scale_);
  }

  state save() const { return detail::save_members(*this); }

  void load(const state& s) {
    detail::load_members(*this, s, [](auto& next) {
      learned_map(next.options_);
      detail::require_state(next.offsets_.size() == next.size(), "offsets must be one per row of weights");
      detail::require_state(next.size() == 0 || next.scale_ > 0, "scale must be above 0");
    });
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("options", of.options_);
    visit("weights", of.weights_);
    visit("offsets", of.offsets_);
    visit("scale", of.scale_);
    visit("steps", of.steps_);
  }

 private:
  /// What one fit reads.
  struct sample {
    embedding_matrix x;
    loss_matrix losses;
  };

  void learn(const map_training_set& training) {
    const std::size_t n = rows(training.embeddings), m = columns(training.losses);
    if (options_.max_steps == 0 || m == 0 || n < 2) return;
    random_engine draws(derive_seed(options_.seed, 0x4D4150));
    std::vector<std::size_t> prompts(n), models(m);
    std::iota(prompts.begin(), prompts.end(), std::size_t{0});
    std::iota(models.begin(), models.end(), std::size_t{0});
    shuffle(std::span(prompts), draws);
    shuffle(std::span(models), draws);
    const auto part = [](double share, std::size_t of) {
      const auto count = static_cast<std::size_t>(std::lround(share * static_cast<double>(of)));
      return std::clamp<std::size_t>(count, 1, of - 1);
    };
    const std::span<const std::size_t> all_models(models), all_prompts(prompts);
    const std::size_t held_count = m == 1 ? 1 : part(options_.held_models, m);
    const auto held = all_models.first(held_count), kept = m == 1 ? all_models : all_models.subspan(held_count);
    const std::size_t scored_count = part(options_.held_prompts, n);
    const auto scored = all_prompts.first(scored_count), fitted = all_prompts.subspan(scored_count);

    const embedding_matrix x = take_rows(training.embeddings, fitted),
                           scored_x = take_rows(training.embeddings, scored);
    const loss_matrix represented = take(training.losses, fitted, held), truth = take(training.losses, scored, held);
    const std::size_t cells = size() * (dimension() + 1);
    const auto held_loss = [&](const learned_map& map) {
      return mean_log_loss(map.memberships(scored_x),
                           detail::smoothed_profiles(map.memberships(x), represented, options_.smoothing), truth);
    };
    std::optional<double> best_loss = held_loss(*this);
    if (!best_loss) return;
    std::size_t best = 0;
    std::vector<double> best_u(cells, 0.0);
    descend(x, take(training.losses, fitted, kept), options_.max_steps, [&](std::size_t step, auto u, double loss) {
      learned_map map(*this);
      map.move(u, step);
      const std::optional<double> now = held_loss(map);
      if (options_.on_step) options_.on_step({false, step, loss, now});
      if (*now < *best_loss) {
        best_loss = now;
        best = step;
        best_u.assign(u.begin(), u.end());
      }
      return step < best + options_.patience;
    });
    if (best == 0) return;
    if (options_.refit) {
      descend(training.embeddings, training.losses, best, [&](std::size_t step, auto u, double loss) {
        if (options_.on_step) options_.on_step({true, step, loss, {}});
        best_u.assign(u.begin(), u.end());
        return true;
      });
    }
    move(best_u, best);
  }

  template <class OnStep>
  void descend(const embedding_matrix& x, const loss_matrix& losses, std::size_t steps, OnStep&& on_step) const {
    detail::membership_loss<float> loss(x, losses, profiles(x, losses), centroids_, offsets_, scale_,
                                        options_.weight_decay);
    if (loss.outcomes() == 0) return;
    std::vector<double> u(loss.size(), 0.0);
    detail::minimise_lbfgs(u, {.max_steps = steps}, loss, on_step);
  }

  matrix<double> profiles(const embedding_matrix& x, const loss_matrix& losses) const {
    if (options_.profiles == profile_assignment::soft)
      return detail::smoothed_profiles(memberships(x), losses, options_.smoothing);
    const label_vector labels = detail::nearest(x, detail::centroid_table(centroids_));
    auto one_hot = make_matrix<double>(rows(x), size(), 0.0);
    for (std::size_t i = 0; i < labels.size(); ++i) one_hot(i, labels[i]) = 1;
    return detail::smoothed_profiles(one_hot, losses, options_.smoothing);
  }

  /// The mean over observed outcomes; none if there are none.
  static std::optional<double> mean_log_loss(const membership_matrix& phi, const matrix<double>& psi,
                                             const loss_matrix& losses) {
    double sum = 0, count = 0;
    for (std::size_t i = 0; i < rows(losses); ++i) {
      for (std::size_t h = 0; h < columns(losses); ++h) {
        if (is_missing(losses(i, h))) continue;
        double gamma = 0;
        for (std::size_t k = 0; k < columns(phi); ++k) gamma += phi(i, k) * psi(k, h);
        gamma = std::clamp(gamma, 1e-6, 1 - 1e-6);
        sum -= losses(i, h) * std::log(gamma) + (1 - losses(i, h)) * std::log(1 - gamma);
        count += 1;
      }
    }
    return count > 0 ? std::optional(sum / count) : std::nullopt;
  }

  /// θ = θ_start + U, in the form that memberships read: (2 x·w − o) / scale.
  void move(std::span<const double> u, std::size_t steps) {
    const std::size_t d = dimension(), k = size();
    for (std::size_t c = 0; c < k; ++c) {
      for (std::size_t j = 0; j < d; ++j)
        weights_(c, j) = static_cast<float>(static_cast<double>(centroids_(c, j)) + scale_ / 2 * u[c * d + j]);
      offsets_[c] -= scale_ * u[k * d + c];
    }
    steps_ = steps;
  }

  learned_map_options options_;
  embedding_matrix centroids_ = make_matrix<float>(0, 0);  // of the start; read by `fit` only
  embedding_matrix weights_ = make_matrix<float>(0, 0);
  std::vector<double> offsets_;
  double scale_ = 0;
  std::size_t steps_ = 0;
};

static_assert(soft_cluster_map<learned_map>);

}  // namespace uniroute
