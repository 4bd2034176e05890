#pragma once

// Gaussian-process regression of each LLM's losses on the validation prompts, one kernel for all.

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/kernel.hpp>
#include <uniroute/concepts/predictor.hpp>
#include <uniroute/detail/check_losses.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/fwd.hpp>
#include <uniroute/numeric/nearest.hpp>
#include <uniroute/numeric/parallel.hpp>
#include <uniroute/outcome_target.hpp>
#include <uniroute/predict/detail/kernel_points.hpp>
#include <uniroute/predict/detail/kernel_smoother.hpp>
#include <uniroute/predict/detail/marginal_likelihood.hpp>
#include <uniroute/predict/detail/roster.hpp>
#include <uniroute/predict/kernels.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// The noise of `gaussian_process`, given or to be chosen.
struct gaussian_process_options {
  /// σ² of the outcomes over the variance of the signal where k(x, x) = 1. Not given: by the seen LLMs.
  std::optional<double> noise = {};
  double default_noise = 16;                           ///< where there is no seen LLM whose outcomes vary
  outcome_target target = outcome_target::neighbours;  ///< what noise and shape are to explain
  std::size_t training_prompts = 480;                  ///< most that the evidence is computed on
  std::size_t threads = 1;                             ///< of a batch; 0: all of the machine; never changes a bit

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("noise", of.noise);
    visit("default_noise", of.default_noise);
    visit("target", of.target);
    visit("training_prompts", of.training_prompts);
  }
};

/// γ̂(x, h) = μ(h) + k(x, V) (K + σ² I)⁻¹ (ℓ(h) - μ(h)), with V the validation prompts on which h was observed, K their
/// kernel matrix, μ(h) the mean of h's outcomes there (Rasmussen and Williams 2006, section 2.2). It may leave [0, 1]
/// by a little: cutting it off would tie LLMs that differ.
///
/// `fit` fits the kernel, then chooses σ² and the kernel's shape to maximise the marginal likelihood of the seen LLMs'
/// training outcomes, each with a signal variance of its own (predict/detail/marginal_likelihood.hpp); infinite noise,
/// that is μ(h) for every prompt, is among the candidates. Each pattern of missing outcomes takes one Cholesky factor,
/// which the LLMs that share it share: min(n, features)³ / 3; an LLM then costs O(n²), or O(n features). `predict` is
/// O(features M) a prompt for feature kernels, O(n (D + M)) for others. Const members are thread-safe; `predict` of one
/// embedding allocates nothing after the first call on a thread.
template <class Kernel>
class gaussian_process {
  static_assert(kernel<Kernel>,
                "gaussian_process: Kernel must model kernel: fit(embeddings, losses), and features(embeddings), "
                "features(embedding, out), feature_count(); or points, place(embeddings), gram(points, points), "
                "gram(embedding, points, out); save, load");

 public:
  using kernel_type = Kernel;

  /// Throws std::invalid_argument for options out of range.
  explicit gaussian_process(gaussian_process_options options = {}) : gaussian_process(Kernel{}, options) {}
  explicit gaussian_process(Kernel k, gaussian_process_options options = {})
      : options_(options), smoother_(std::move(k)) {
    for (const double noise : {options.noise.value_or(1), options.default_noise})
      detail::require(noise > 0, "gaussian_process: noise is ", noise, ", but must be positive");
    detail::require(options.training_prompts >= 2, "gaussian_process: training_prompts is ", options.training_prompts,
                    ", but must be at least 2");
  }

  /// Learns the kernel, its shape and the noise from training prompts (n x D) and the seen LLMs' losses (n x seen, seen
  /// may be 0 unless the kernel needs them). The pool and the validation sample are empty afterwards.
  /// Throws what the kernel throws, std::invalid_argument for shapes, std::domain_error for values.
  void fit(const embedding_matrix& x, const loss_matrix& losses) {
    detail::check_training("gaussian_process::fit", x, losses);
    Kernel k = smoother_.kernel_policy();
    k.fit(x, losses);
    double noise = options_.noise.value_or(options_.default_noise);
    if (!options_.noise || detail::shapes_of(k) > 1) {
      const std::vector<double> noises = options_.noise ? std::vector<double>{noise} : detail::noise_grid();
      const auto best =
          detail::choose_by_marginal_likelihood(k, x, losses, options_.target, noises, options_.training_prompts);
      if (best.learned) {
        noise = best.noise;
        detail::choose_shape(k, best.shape);
      }
    }
    smoother_ = detail::kernel_smoother<Kernel>(std::move(k), noise);
    dimension_ = columns(x);
    clear();
  }

  /// Names the validation prompts (n x D); the pool is empty afterwards. Throws not_fitted, std::invalid_argument.
  void set_validation(const embedding_matrix& x) {
    detail::check_input("gaussian_process::set_validation", x, dimension_);
    detail::require(rows(x) != 0, "gaussian_process::set_validation: embeddings has 0 rows, but must have at least 1");
    detail::kernel_smoother<Kernel> next = smoother_;
    next.place(x);
    smoother_ = std::move(next);
    clear();
  }

  /// Adds an LLM by its losses on the validation prompts. Throws not_fitted, std::invalid_argument (also for a kernel
  /// matrix that is singular in spite of the noise), std::domain_error.
  void enroll(const std::string& name, std::span<const double> losses) {
    detail::require<not_fitted>(dimension_ != 0, "gaussian_process::enroll: fit must come first");
    roster_.require_new("gaussian_process::enroll", name);
    detail::check_column("gaussian_process::enroll", name, losses, smoother_.size());
    enrolled entry{smoother_.smooth("gaussian_process::enroll", losses), {losses.begin(), losses.end()}};
    roster_.join(name, columns_, std::move(entry), [&] { rebuild(); });
  }

  /// Takes an LLM out of the pool. Throws std::invalid_argument for an unknown name.
  void retire(const std::string& name) {
    const std::size_t index = roster_.find("gaussian_process::retire", name);
    roster_.leave(index, columns_, [&] { rebuild(); });
  }

  std::size_t size() const noexcept { return roster_.size(); }                      ///< M, models enrolled
  std::size_t dimension() const noexcept { return dimension_; }                     ///< D; 0 before fit
  std::span<const std::string> models() const noexcept { return roster_.names(); }  ///< in order of enrolment
  const Kernel& kernel_policy() const noexcept { return smoother_.kernel_policy(); }
  double noise() const noexcept { return smoother_.noise(); }  ///< σ², chosen or given; may be infinite
  const gaussian_process_options& options() const noexcept { return options_; }

  /// γ̂, n x M. Throws not_fitted, std::invalid_argument for another dimension.
  loss_matrix predict(const embedding_matrix& x) const {
    detail::check_input("gaussian_process::predict", x, dimension_);
    detail::require<not_fitted>(smoother_.size() != 0, "gaussian_process::predict: set_validation must come first");
    auto out = make_matrix<double>(rows(x), size());
    detail::parallel_for(detail::tile_count(rows(x)), options_.threads, [&](std::size_t tile, std::size_t) {
      const std::size_t first = tile * detail::tile_rows;
      const std::size_t count = std::min(detail::tile_rows, rows(x) - first);
      auto part = make_matrix<float>(count, columns(x));
      std::copy_n(x.data() + first * columns(x), part.size(), part.data());
      const matrix<double> basis = smoother_.basis(part);
      for (std::size_t i = 0; i < count; ++i) combine(row(basis, i), row(out, first + i));
    });
    return out;
  }

  /// γ̂ of one embedding into out (M values). Unchecked in release.
  void predict(embedding_view x, std::span<double> out) const {
    assert(x.size() == dimension_ && out.size() == size() && smoother_.size() != 0);
    thread_local std::vector<double> basis;
    basis.resize(smoother_.basis_size());
    smoother_.basis(x, std::span<double>(basis));
    combine(basis, out);
  }

  /// The fitted state, with the validation prompts and every LLM's outcomes.
  state save() const {
    saved all{kernel_policy(), options_, noise(), dimension_, smoother_.prompts(), roster_, {}};
    for (const auto& model : columns_) all.losses.push_back(model.outcomes);
    return detail::save_members(all);
  }

  /// Throws format_error, and then *this is as it was.
  void load(const state& s) {
    saved all{kernel_policy(), options_, {}, 0, make_matrix<float>(0, 0), {}, {}};
    detail::load_members(all, s, [&](auto& next) {
      gaussian_process made(next.kernel, next.options);
      detail::require_state(next.noise && *next.noise > 0, "noise must be one positive number");
      detail::require_state(rows(next.validation) == 0 || columns(next.validation) == next.dimension,
                            "validation must be prompts x dimension");
      detail::require_state(next.losses.size() == next.models.size(), "losses must be models x validation prompts");
      made.dimension_ = next.dimension;
      made.smoother_ = detail::kernel_smoother<Kernel>(std::move(next.kernel), *next.noise);
      made.clear();
      if (rows(next.validation) != 0) made.set_validation(next.validation);
      for (std::size_t h = 0; h < next.models.size(); ++h) made.enroll(next.models.names()[h], next.losses[h]);
      *this = std::move(made);
    });
  }

 private:
  struct enrolled {
    detail::smoothed_column smoothed;
    std::vector<double> outcomes;
  };

  /// What a state holds; the rest is computed from it.
  struct saved {
    Kernel kernel;
    gaussian_process_options options;
    std::optional<double> noise;  // always there; infinity is no JSON number
    std::size_t dimension;
    embedding_matrix validation;
    detail::roster models;
    std::vector<std::vector<double>> losses;

    static void members(auto& of, auto&& visit) {
      visit("kernel", of.kernel);
      visit("options", of.options);
      visit("noise", of.noise);
      visit("dimension", of.dimension);
      visit("validation", of.validation);
      visit("models", of.models);
      visit("losses", of.losses);
    }
  };

  void clear() {
    roster_ = {};
    columns_.clear();
    rebuild();
  }

  /// Weights by basis element (basis x M): the layout that prediction reads.
  void rebuild() {
    const std::size_t length = columns_.empty() ? 0 : columns_[0].smoothed.weights.size();
    auto next = make_matrix<double>(length, size());
    for (std::size_t h = 0; h < size(); ++h) {
      for (std::size_t j = 0; j < length; ++j) next(j, h) = columns_[h].smoothed.weights[j];
    }
    weights_ = std::move(next);
  }

  /// In an order that depends on nothing but the basis: an LLM's prediction has the same bits in any pool.
  void combine(std::span<const double> basis, std::span<double> out) const noexcept {
    for (std::size_t h = 0; h < out.size(); ++h) out[h] = columns_[h].smoothed.mean;
    for (std::size_t j = 0; j < rows(weights_); ++j) {
      const double b = basis[j];
      const auto w = row(weights_, j);
      for (std::size_t h = 0; h < out.size(); ++h) out[h] += b * w[h];
    }
  }

  gaussian_process_options options_;
  detail::kernel_smoother<Kernel> smoother_;
  std::size_t dimension_ = 0;
  detail::roster roster_;
  std::vector<enrolled> columns_;
  matrix<double> weights_ = make_matrix<double>(0, 0);
};

static_assert(pool_adaptive<gaussian_process<>>);

}  // namespace uniroute
