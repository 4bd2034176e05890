#pragma once

// Several predictors as one, mixed by how well they do on seen LLMs treated as new.

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <tuple>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/predictor.hpp>
#include <uniroute/data/folds.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/check_losses.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/observed.hpp>
#include <uniroute/predict/detail/roster.hpp>
#include <uniroute/predict/knn.hpp>
#include <uniroute/predict/stacking.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// How `stacked` finds its weights.
struct stacked_options {
  seen_as_new_options rehearsals = {};
  std::size_t labels = 400;  ///< prompts that represent a held-out LLM: as many as the validation sample will have
  double scale = 1;        ///< factor of all weights, in [0, 1]: below 1 trusts the mixture less than the seen LLMs do
  std::uint64_t seed = 1;  ///< of the rehearsals

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("rehearsals", of.rehearsals);
    visit("labels", of.labels);
    visit("scale", of.scale);
    visit("seed", of.seed);
  }
};

/// γ̂(x, h) = μ(h) + s Σ_m w_m (γ̂_m(x, h) − μ(h)) with the weights of `stacking`, found in `fit`: the seen LLMs are held
/// out in folds, enrolled like new ones and scored on prompts that nothing was fitted on. One predictor alone is
/// *guarded*: pulled towards the prompt-independent prediction by as much as the seen LLMs say. With fewer than 4 seen
/// LLMs, or too few prompts, nothing can be held out, and the weights are equal and sum to `scale`. Where the weights
/// of other rehearsals spare a rehearsal no squared error, there is no signal, and all weights are 0. Const members are
/// thread-safe if the predictors' are; `predict` of one embedding allocates nothing after the first call on a thread.
/// Fitting costs folds · repeats + 1 fits of every predictor.
template <class... Predictors>
class stacked {
  static_assert(sizeof...(Predictors) >= 1, "stacked: Predictors must have at least one predictor");
  static_assert((predictor<Predictors> && ...),
                "stacked: each of Predictors must model predictor: fit(embeddings, losses), predict(embeddings), "
                "predict(embedding, out), size(), dimension(), save, load");
  static_assert(!(predictor<Predictors> && ...) || (pool_adaptive<Predictors> && ...),
                "stacked: each of Predictors must model pool_adaptive (set_validation, enroll, retire, models): the "
                "weights come from seen LLMs that join as new ones do");

 public:
  static constexpr std::size_t predictor_count = sizeof...(Predictors);

  explicit stacked(Predictors... predictors) : stacked(stacked_options{}, std::move(predictors)...) {}

  /// Throws std::invalid_argument for options outside their range.
  explicit stacked(stacked_options options, Predictors... predictors)
      : options_(options), members_(std::move(predictors)...) {
    check(options);
  }

  /// Finds the weights on held-out seen LLMs (losses: n x seen, missing allowed), then fits every predictor on all.
  /// The pool is empty afterwards. Throws what the predictors throw, and then *this is as it was.
  void fit(const embedding_matrix& x, const loss_matrix& losses) {
    detail::check_training("stacked::fit", x, losses);
    stacked next(options_, members_);
    next.weights_ = find_weights(x, losses);
    next.each([&](auto& member) { member.fit(x, losses); });
    *this = std::move(next);
  }

  /// Names the validation prompts (n x D); the pool is empty afterwards. Throws not_fitted, std::invalid_argument.
  void set_validation(const embedding_matrix& x) {
    stacked next(*this);
    next.each([&](auto& member) { member.set_validation(x); });
    next.means_.clear();
    *this = std::move(next);
  }

  /// Adds an LLM to every predictor; nothing is refitted. Throws what they throw, and then no one has it.
  void enroll(const std::string& name, std::span<const double> losses) {
    std::size_t joined = 0;
    try {
      each([&](auto& member) {
        member.enroll(name, losses);
        ++joined;
      });
      means_.push_back(observed_mean(losses, missing));
    } catch (...) {
      each([&](auto& member) {
        if (joined == 0) return;
        member.retire(name);
        --joined;
      });
      throw;
    }
  }

  /// Takes an LLM out of every predictor. Throws std::invalid_argument for an unknown name.
  void retire(const std::string& name) {
    const auto names = models();
    const auto at = std::find(names.begin(), names.end(), name) - names.begin();
    stacked next(*this);
    next.each([&](auto& member) { member.retire(name); });
    next.means_.erase(next.means_.begin() + at);
    *this = std::move(next);
  }

  std::size_t size() const noexcept { return means_.size(); }                             ///< M, models enrolled
  std::size_t dimension() const noexcept { return std::get<0>(members_).dimension(); }    ///< D; 0 before fit
  std::span<const std::string> models() const { return std::get<0>(members_).models(); }  ///< in order of enrolment
  std::span<const double> weights() const noexcept { return weights_; }                   ///< s w, one a predictor
  template <std::size_t I>
  const auto& member() const noexcept {
    return std::get<I>(members_);
  }

  /// γ̂, n x M. Throws what the predictors throw.
  loss_matrix predict(const embedding_matrix& x) const {
    std::vector<loss_matrix> predicted;
    each([&](const auto& member) { predicted.push_back(member.predict(x)); });
    std::vector<const loss_matrix*> of;
    for (const auto& p : predicted) of.push_back(&p);
    return stacking::mix(of, means_, weights_, rows(x));
  }

  /// γ̂ of one embedding into out (M values). Unchecked in release.
  void predict(embedding_view x, std::span<double> out) const {
    assert(out.size() == size());
    thread_local std::vector<double> own;
    std::vector<double> scratch = std::exchange(own, {});  // a member may itself be stacked
    scratch.resize(out.size());
    std::copy(means_.begin(), means_.end(), out.begin());
    std::size_t m = 0;
    each([&](const auto& member) {
      const double w = weights_[m++];
      if (w == 0) return;
      member.predict(x, std::span<double>(scratch));
      for (std::size_t h = 0; h < out.size(); ++h) out[h] += w * (scratch[h] - means_[h]);
    });
    own = std::move(scratch);
  }

  state save() const { return detail::save_members(*this); }

  /// Throws format_error, and then *this is as it was.
  void load(const state& s) {
    detail::load_members(*this, s, [](auto& next) {
      check(next.options_);
      detail::require_state(next.weights_.size() == predictor_count,
                            "stacked: weights must have one entry per predictor");
      bool agree = true;
      next.each([&](const auto& member) { agree = agree && member.size() == next.means_.size(); });
      detail::require_state(agree, "stacked: every predictor must have the same models, one mean each");
    });
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("options", of.options_);
    std::size_t m = 0;
    std::apply([&](auto&... member) { (visit(detail::text("predictor_", m++), member), ...); }, of.members_);
    visit("weights", of.weights_);
    visit("means", of.means_);
  }

 private:
  static void check(const stacked_options& options) {
    detail::require(options.labels >= 1, "stacked: labels is 0, but must be at least 1");
    detail::require(options.scale >= 0 && options.scale <= 1, "stacked: scale is ", options.scale,
                    ", but must be between 0 and 1");
  }

  stacked(stacked_options options, std::tuple<Predictors...> members)
      : options_(options), members_(std::move(members)) {}

  template <class Body>
  void each(Body&& body) {
    std::apply([&](auto&... member) { (body(member), ...); }, members_);
  }
  template <class Body>
  void each(Body&& body) const {
    std::apply([&](const auto&... member) { (body(member), ...); }, members_);
  }

  std::vector<double> find_weights(const embedding_matrix& x, const loss_matrix& losses) const {
    std::vector<double> out(predictor_count, options_.scale / static_cast<double>(predictor_count));
    constexpr std::size_t least_prompts = 20;
    if (columns(losses) < 4 || rows(x) < least_prompts) return out;
    std::vector<stacking> samples;
    for (const seen_fold& fold :
         folds_of_seen("stacked::fit", losses, options_.labels, false, options_.seed, options_.rehearsals)) {
      const embedding_matrix fitted_on = take_rows(x, std::span(fold.fitted_on)),
                             labelled = take_rows(x, std::span(fold.labelled)),
                             scored = take_rows(x, std::span(fold.scored));
      const loss_matrix of_seen = take(losses, fold.fitted_on, fold.seen),
                        of_held = take(losses, fold.labelled, fold.held);
      auto members = members_;
      std::vector<loss_matrix> predicted;
      const auto rehearse = [&](auto& member) {
        member.fit(fitted_on, of_seen);
        member.set_validation(labelled);
        for (std::size_t h = 0; h < fold.held.size(); ++h)
          member.enroll(detail::text("seen ", fold.held[h]), column(of_held, h));
        predicted.push_back(member.predict(scored));
      };
      std::apply([&](auto&... member) { (rehearse(member), ...); }, members);
      std::vector<const loss_matrix*> of;
      for (const auto& p : predicted) of.push_back(&p);
      const auto means = column_means(of_held);
      samples.emplace_back(predictor_count).add(of, row(means, 0), take(losses, fold.scored, fold.held));
    }
    if (samples.empty()) return out;
    if (!(error_spared(samples, weights_of_others(samples)) > 0)) return std::vector<double>(predictor_count, 0.0);
    stacking stack(predictor_count);
    for (const auto& sample : samples) stack.add(sample);
    out = stack.weights();
    for (double& w : out) w *= options_.scale;
    return out;
  }

  stacked_options options_;
  std::tuple<Predictors...> members_;
  std::vector<double> weights_ = std::vector<double>(predictor_count, 1 / static_cast<double>(predictor_count));
  std::vector<double> means_;  ///< μ(h)
};

/// One predictor, pulled towards the prompt-independent prediction by as much as the seen LLMs say is needed.
template <class Predictor>
using guarded = stacked<Predictor>;

static_assert(pool_adaptive<stacked<knn, knn>>);

}  // namespace uniroute
