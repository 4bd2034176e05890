#pragma once

// (K + σ² I)⁻¹ on the validation prompts: one factor per pattern of missing outcomes, on the cheaper side.

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/kernel.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/missing.hpp>
#include <uniroute/numeric/lapack.hpp>
#include <uniroute/predict/detail/kernel_points.hpp>
#include <utility>
#include <vector>

namespace uniroute::detail {

/// γ̂(x) = mean + basis(x) · weights, where the basis is the kernel's features, or its values at the validation prompts.
struct smoothed_column {
  double mean = 0;
  std::vector<double> weights;
};

template <class Kernel>
class kernel_smoother {
 public:
  explicit kernel_smoother(Kernel k = Kernel{}, double noise = 1) : kernel_(std::move(k)), noise_(noise) {}

  const Kernel& kernel_policy() const noexcept { return kernel_; }
  double noise() const noexcept { return noise_; }
  const embedding_matrix& prompts() const noexcept { return prompts_; }
  std::size_t size() const noexcept { return rows(prompts_); }  ///< validation prompts

  /// Names the validation prompts.
  void place(const embedding_matrix& x) {
    points_ = place_points(kernel_, x);
    prompts_ = x;
    factors_.clear();
  }

  std::size_t basis_size() const noexcept {
    if constexpr (feature_kernel<Kernel>) {
      return columns(points_);
    } else {
      return size();
    }
  }

  matrix<double> basis(const embedding_matrix& x) const {
    if constexpr (feature_kernel<Kernel>) {
      return kernel_.features(x);
    } else {
      return kernel_.gram(kernel_.place(x), points_);
    }
  }
  void basis(embedding_view x, std::span<double> out) const {
    if constexpr (feature_kernel<Kernel>) {
      kernel_.features(x, out);
    } else {
      kernel_.gram(x, points_, out);
    }
  }

  /// Smooths one LLM's losses (one per validation prompt, at least one observed).
  smoothed_column smooth(std::string_view function, std::span<const double> losses) {
    std::vector<std::size_t> observed;
    smoothed_column out;
    for (std::size_t i = 0; i < losses.size(); ++i) {
      if (is_missing(losses[i])) continue;
      observed.push_back(i);
      out.mean += losses[i];
    }
    out.mean /= static_cast<double>(observed.size());
    out.weights.assign(basis_size(), 0.0);
    std::vector<double> residual;
    bool flat = std::isinf(noise_);
    for (const std::size_t i : observed) residual.push_back(losses[i] - out.mean);
    flat = flat || std::all_of(residual.begin(), residual.end(), [](double r) { return r == 0; });
    if (flat) return out;
    const factor& f = factor_for(function, observed);
    if (f.by_features) {
      spread(observed, residual, out.weights);
      f.solve(out.weights);
    } else {
      f.solve(residual);
      if constexpr (feature_kernel<Kernel>) {
        spread(observed, residual, out.weights);
      } else {
        for (std::size_t i = 0; i < observed.size(); ++i) out.weights[observed[i]] = residual[i];
      }
    }
    return out;
  }

 private:
  /// A factor, shared by copies of the smoother: it never changes.
  struct factor {
    std::vector<std::size_t> observed;
    bool by_features;
    std::shared_ptr<const cholesky> of;
    void solve(std::span<double> b) const { of->solve(b); }
  };

  /// At most this many patterns are kept, the oldest goes first.
  static constexpr std::size_t most_factors = 8;

  const factor& factor_for(std::string_view function, const std::vector<std::size_t>& observed) {
    for (const factor& f : factors_) {
      if (f.observed == observed) return f;
    }
    const bool by_features = basis_size() < observed.size() && feature_kernel<Kernel>;
    matrix<double> system = make_matrix<double>(0, 0);
    if constexpr (feature_kernel<Kernel>) {
      const matrix<double> f =
          observed.size() == size() ? points_ : take_rows(points_, std::span<const std::size_t>(observed));
      const std::size_t n = rows(f), r = columns(f);
      if (by_features) {
        system = make_matrix<double>(r, r);
        gemm<double>(op::transposed, op::as_is, r, r, n, 1, f.data(), r, f.data(), r, 0, system.data(), r);
      } else {
        system = product_of_rows(f, f);
      }
    } else {
      const auto points = observed.size() == size()
                              ? points_
                              : kernel_.place(take_rows(prompts_, std::span<const std::size_t>(observed)));
      system = kernel_.gram(points, points);
    }
    for (std::size_t i = 0; i < rows(system); ++i) system(i, i) += noise_;
    auto made = cholesky::factor(std::move(system));
    require(made.has_value(), function, ": the kernel matrix of ", observed.size(), " prompts with noise ", noise_,
            " is singular to working precision, but must be positive definite: the noise must be larger");
    factor entry{observed, by_features, std::make_shared<const cholesky>(std::move(*made))};
    if (factors_.size() == most_factors) factors_.erase(factors_.begin());
    factors_.push_back(std::move(entry));
    return factors_.back();
  }

  /// weights = Σ_i by_prompt_i f(prompt_i).
  void spread(const std::vector<std::size_t>& observed, std::span<const double> by_prompt,
              std::span<double> weights) const {
    if constexpr (feature_kernel<Kernel>) {
      for (std::size_t i = 0; i < observed.size(); ++i) {
        const auto f = row(points_, observed[i]);
        for (std::size_t j = 0; j < weights.size(); ++j) weights[j] += by_prompt[i] * f[j];
      }
    }
  }

  Kernel kernel_;
  double noise_;
  embedding_matrix prompts_ = make_matrix<float>(0, 0);
  points_of<Kernel> points_ = {};
  std::vector<factor> factors_;
};

}  // namespace uniroute::detail
