#pragma once

// Simultaneous intervals where whether an outcome is missing does depend on the prompt within a cell, by a known law.

#include <algorithm>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <uniroute/arrays.hpp>
#include <uniroute/bound/cell_sample.hpp>
#include <uniroute/bound/simultaneous.hpp>
#include <uniroute/concepts/interval.hpp>
#include <uniroute/detail/check_interval.hpp>
#include <uniroute/stats/betting.hpp>
#include <uniroute/stats/interval_of.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// Each outcome counts 1/π times, π(x, h) the known probability with which it was observed, at least `least` (Horvitz
/// and Thompson 1952): ℓ · 1[observed] · least / π is in [0, 1] and has the mean least · Ψ*_k(h), if being observed and
/// the loss are independent given the prompt. Bonferroni over the K·M means. Intervals are wider by about 1 / least, so
/// take bonferroni where missingness does not depend on the loss within a cell.
template <class Interval = betting>
class inverse_probability {
  static_assert(interval_for<Interval, bounded_loss>,
                "inverse_probability: Interval must hold for bounded losses (betting, empirical_bernstein, hoeffding): "
                "weighted losses are graded even where losses are 0 or 1");

 public:
  using loss_type = bounded_loss;
  using guarantee = typename Interval::guarantee;
  static constexpr bool weighs_labels = true;  ///< labels may be chosen by a design of known inclusion

  /// `probabilities` is n x all LLMs, as the table's losses. Throws std::invalid_argument for a `least` outside (0, 1],
  /// std::domain_error for a probability below it or above 1.
  inverse_probability(matrix<double> probabilities, double least)
      : probabilities_(std::move(probabilities)), least_(least) {
    detail::require(least > 0 && least <= 1, "inverse_probability: least is ", least, ", but must be in (0, 1]");
    for (const double p : probabilities_)
      detail::require<std::domain_error>(p >= least && p <= 1, "inverse_probability: a probability is ", p,
                                         ", but must be from the declared least, ", least, ", to 1");
  }

  /// Throws as `summarise`, and std::invalid_argument for a delta outside (0, 1) and other shapes than the losses'.
  interval_box make(const cell_outcomes& o, double delta) const {
    detail::check_delta("inverse_probability::make", delta);
    detail::check_outcomes("inverse_probability::make", o);
    detail::require(probabilities_.shape() == o.losses.shape(), "inverse_probability::make: probabilities is ",
                    rows(probabilities_), " x ", columns(probabilities_), ", but losses is ", rows(o.losses), " x ",
                    columns(o.losses));
    const double part = delta / static_cast<double>(o.cells * o.models());
    interval_box out{make_matrix<double>(o.cells, o.models()), make_matrix<double>(o.cells, o.models())};
    std::vector<std::vector<double>> values(o.cells);
    for (std::size_t h = 0; h < o.models(); ++h) {
      for (auto& of : values) of.clear();
      for (std::size_t i = 0; i < o.labels.size(); ++i) {
        const double loss = o.losses(i, o.column(h));
        values[o.labels[i]].push_back(is_missing(loss) ? 0 : loss * least_ / probabilities_(i, o.column(h)));
      }
      for (std::size_t k = 0; k < o.cells; ++k) {
        const interval scaled = values[k].empty() ? interval{} : interval_of<Interval>(values[k], part);
        out.lower(k, h) = values[k].empty() ? 0 : std::min(1.0, scaled.lower / least_);
        out.upper(k, h) = values[k].empty() ? 1 : std::min(1.0, scaled.upper / least_);
      }
    }
    return out;
  }

 private:
  matrix<double> probabilities_;
  double least_;
};

static_assert(simultaneous_intervals<inverse_probability<>>);

}  // namespace uniroute
