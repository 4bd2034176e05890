#pragma once

// Prompts spread over the space of embeddings: of two that are alike, one is asked.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <uniroute/concepts/label_design.hpp>
#include <uniroute/detail/check_losses.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/enroll/detail/fixed_size_sample.hpp>
#include <uniroute/numeric/distance.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// The local pivotal method (Grafström, Lundström and Schelin 2012): an undecided prompt, drawn at random, fights its
/// nearest undecided neighbour for a place. Inclusion is budget / n for all, so nothing needs weighting; the mean of
/// whatever varies smoothly over the embedding has a smaller variance than under random_design. It is stratification
/// without cells. `choose` is O(n² D). Const members are thread-safe.
class spread_design {
 public:
  /// Learns only the dimension. Throws std::invalid_argument for shapes, std::domain_error for values.
  void fit(const embedding_matrix& x, const loss_matrix& losses) {
    detail::check_training("spread_design::fit", x, losses);
    dimension_ = columns(x);
  }

  /// Throws not_fitted, std::invalid_argument for shapes or no budget, std::domain_error for values.
  label_sample choose(const embedding_matrix& candidates, std::size_t budget, std::uint64_t seed) const {
    detail::check_choice("spread_design::choose", candidates, dimension_, budget);
    const std::size_t n = rows(candidates);
    if (budget >= n) return detail::whole_sample(n);
    random_engine draws(derive_seed(seed, 0x5B1));
    std::vector<double> inclusion(n, static_cast<double>(budget) / static_cast<double>(n));
    detail::pivotal_fight fight(inclusion);
    std::vector<std::size_t> open = detail::random_order(n, draws);
    while (open.size() >= 2) {
      const std::size_t at = draws.below(open.size());
      std::size_t nearest = at == 0 ? 1 : 0;
      double least = std::numeric_limits<double>::infinity();
      for (std::size_t other = 0; other < open.size(); ++other) {
        if (other == at) continue;
        const double distance =
            detail::squared_distance(row(candidates, open[at]).data(), row(candidates, open[other]).data(), dimension_);
        if (distance < least) {
          least = distance;
          nearest = other;
        }
      }
      fight.fight(open[at], open[nearest], draws);
      std::erase_if(open, [&](std::size_t i) { return fight.decided(i); });
    }
    return detail::finish_sample(fight, std::move(inclusion));
  }

  state save() const { return detail::save_members(*this); }
  void load(const state& s) {
    detail::load_members(*this, s, [](const auto&) {});
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) { visit("dimension", of.dimension_); }

 private:
  std::size_t dimension_ = 0;
};

static_assert(label_design<spread_design>);

}  // namespace uniroute
