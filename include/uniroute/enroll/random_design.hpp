#pragma once

// Any prompts: what every other design is measured against.

#include <cstddef>
#include <cstdint>
#include <uniroute/concepts/label_design.hpp>
#include <uniroute/detail/check_losses.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/enroll/detail/fixed_size_sample.hpp>

namespace uniroute {

/// A simple random sample: inclusion is budget / n for all. Const members are thread-safe.
class random_design {
 public:
  /// Learns only the dimension. Throws std::invalid_argument for shapes, std::domain_error for values.
  void fit(const embedding_matrix& x, const loss_matrix& losses) {
    detail::check_training("random_design::fit", x, losses);
    dimension_ = columns(x);
  }

  /// Throws not_fitted, std::invalid_argument for shapes or no budget, std::domain_error for values.
  label_sample choose(const embedding_matrix& candidates, std::size_t budget, std::uint64_t seed) const {
    detail::check_choice("random_design::choose", candidates, dimension_, budget);
    const std::size_t n = rows(candidates);
    if (budget >= n) return detail::whole_sample(n);
    random_engine draws(derive_seed(seed, 0x5A3));
    auto prompts = detail::random_order(n, draws);
    prompts.resize(budget);
    std::sort(prompts.begin(), prompts.end());
    const double share = static_cast<double>(budget) / static_cast<double>(n);
    return {std::move(prompts), std::vector<double>(budget, 1 / share), std::vector<double>(n, share)};
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

static_assert(label_design<random_design>);

}  // namespace uniroute
