#pragma once

// Simultaneous intervals that know how LLMs' errors go together: a Gaussian multiplier bootstrap.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/bound/cell_sample.hpp>
#include <uniroute/bound/simultaneous.hpp>
#include <uniroute/concepts/interval.hpp>
#include <uniroute/detail/check_interval.hpp>
#include <uniroute/random.hpp>
#include <vector>

namespace uniroute {

/// How many draws `multiplier_bootstrap` takes, and from which stream.
struct multiplier_bootstrap_options {
  std::size_t draws = 1000;  ///< of the multipliers; at least 100
  std::uint64_t seed = 1;    ///< same seed, same bits
};

/// Ψ̂_k(h) ± q s_k(h) / sqrt(n_k(h)): q is the (1 − δ)-quantile over draws of Gaussian multipliers g, one per prompt, of
///   max_{k, h} | Σ_{i in k} g_i (ℓ_ih − Ψ̂_k(h)) | / (sqrt(n_k(h)) s_k(h))
/// (Chernozhukov, Chetverikov and Kato 2013). One multiplier serves all LLMs of a prompt, so that LLMs that fail
/// together cost less than by Bonferroni. s² is the mean square with half a unit and one outcome added, for a cell
/// where nothing failed is not beyond doubt. Asymptotic: with counts in the tens or rare losses it covers less than it
/// says. O(draws · n M).
class multiplier_bootstrap {
 public:
  using loss_type = bounded_loss;
  using guarantee = asymptotic;

  /// Throws std::invalid_argument for fewer than 100 draws.
  explicit multiplier_bootstrap(multiplier_bootstrap_options options = {}) : options_(options) {
    detail::require(options.draws >= 100, "multiplier_bootstrap: draws is ", options.draws,
                    ", but must be at least 100");
  }

  /// Throws as `summarise`, and std::invalid_argument for a delta outside (0, 1).
  interval_box make(const cell_outcomes& o, double delta) const {
    detail::check_delta("multiplier_bootstrap::make", delta);
    const cell_sample s = summarise(o);
    const matrix<double> means = cell_means(s);
    const std::size_t cells = s.cells(), m = s.models();
    auto scale = make_matrix<double>(cells, m, 0.0);  // 1 / (sqrt(n) s); 0 where there is nothing
    for (std::size_t k = 0; k < cells; ++k) {
      for (std::size_t h = 0; h < m; ++h) {
        const double n = s.counts(k, h);
        const double squares = std::max(0.0, s.squares(k, h) - s.sums(k, h) * means(k, h));
        if (n > 0) scale(k, h) = 1 / std::sqrt(n * (squares + 0.5) / (n + 1));
      }
    }
    // Residuals once, observed or 0; then each draw is a pass over them.
    auto residuals = make_matrix<double>(o.labels.size(), m);
    for (std::size_t i = 0; i < o.labels.size(); ++i) {
      for (std::size_t h = 0; h < m; ++h) {
        const double loss = o.losses(i, o.column(h));
        residuals(i, h) = is_missing(loss) ? 0 : loss - means(o.labels[i], h);
      }
    }
    const double q = quantile(o, residuals, scale, delta);
    interval_box out{make_matrix<double>(cells, m, 0.0), make_matrix<double>(cells, m, 1.0)};
    for (std::size_t k = 0; k < cells; ++k) {
      for (std::size_t h = 0; h < m; ++h) {
        if (!(s.counts(k, h) > 0)) continue;
        const double half = q / (scale(k, h) * s.counts(k, h));
        out.lower(k, h) = std::max(0.0, means(k, h) - half);
        out.upper(k, h) = std::min(1.0, means(k, h) + half);
      }
    }
    return out;
  }

  const multiplier_bootstrap_options& options() const noexcept { return options_; }

 private:
  double quantile(const cell_outcomes& o, const matrix<double>& residuals, const matrix<double>& scale,
                  double delta) const {
    const std::size_t m = columns(residuals);
    std::vector<double> largest(options_.draws);
    auto sums = make_matrix<double>(o.cells, m);
    for (std::size_t b = 0; b < options_.draws; ++b) {
      random_engine draws(derive_seed(options_.seed, b));
      sums.fill(0);
      for (std::size_t i = 0; i < o.labels.size(); ++i) {
        const double g = draws.normal();
        const double* const residual = row(residuals, i).data();
        double* const sum = row(sums, o.labels[i]).data();
        for (std::size_t h = 0; h < m; ++h) sum[h] += g * residual[h];
      }
      double most = 0;
      for (std::size_t at = 0; at < sums.size(); ++at)
        most = std::max(most, std::fabs(sums.data()[at]) * scale.data()[at]);
      largest[b] = most;
    }
    const auto at = static_cast<std::size_t>(std::min(static_cast<double>(options_.draws - 1),
                                                      std::ceil((1 - delta) * static_cast<double>(options_.draws))));
    std::nth_element(largest.begin(), largest.begin() + static_cast<std::ptrdiff_t>(at), largest.end());
    return largest[at];
  }

  multiplier_bootstrap_options options_;
};

static_assert(simultaneous_intervals<multiplier_bootstrap> && !finite_sample_guarantee<multiplier_bootstrap>);

}  // namespace uniroute
