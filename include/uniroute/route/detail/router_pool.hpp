#pragma once

// What a router knows of its pool beside predictions and costs: names, the samples they rest on, and an order.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/predict/detail/roster.hpp>
#include <uniroute/random.hpp>
#include <uniroute/route/pool_member.hpp>
#include <uniroute/route/sample_record.hpp>
#include <uniroute/state.hpp>
#include <utility>
#include <vector>

namespace uniroute::detail {

/// The models of a router in order of enrolment, and in the alphabet's, in which rules see them so that ties do not
/// depend on who joined first.
class router_pool {
 public:
  /// Who is in the pool, and the alphabetical order of their indices.
  class lineup {
   public:
    lineup() = default;
    explicit lineup(std::vector<pool_member> roll) : roll_(std::move(roll)) {
      std::vector<std::string> of;
      for (const auto& member : roll_) of.push_back(member.name);
      names_.assign(of);
      order_ = alphabetical_order(of);
      for (const std::size_t h : order_) by_name_.push_back(roll_[h]);
    }

   private:
    friend router_pool;
    std::vector<pool_member> roll_;  // in order of enrolment
    roster names_;
    std::vector<std::size_t> order_;
    std::vector<pool_member> by_name_;  // in the alphabet's
  };

  router_pool() = default;
  router_pool(std::vector<pool_member> roll, sample_record fitted_on)
      : members_(std::move(roll)), fitted_on_(std::move(fitted_on)) {}

  std::size_t size() const noexcept { return members_.names_.size(); }
  std::span<const std::string> names() const noexcept { return members_.names_.names(); }
  /// Who is in the pool and by what, in the alphabet's order.
  std::span<const pool_member> roll() const noexcept { return members_.by_name_; }
  const sample_record& fitted_on() const noexcept { return fitted_on_; }
  const sample_record& enrolled_on() const noexcept { return enrolled_on_; }
  bool calibrated = false;        ///< whether a rule that has to be was, on this pool
  bool labels_by_design = false;  ///< whether labels were chosen with unequal probabilities

  /// Where a model is. Throws std::invalid_argument for an unknown name.
  std::size_t find(std::string_view function, const std::string& model) const {
    return members_.names_.find(function, model);
  }

  /// The pool without models whose validation prompts are x, known by `record`.
  router_pool with_validation(const embedding_matrix& x, sample_record record, std::vector<std::string> ids) const {
    router_pool out({}, fitted_on_);
    out.validation_ids_ = std::move(ids);
    out.validation_size_ = rows(x);
    out.validation_hash_ = fingerprint(x);
    out.enrolled_on_ = std::move(record);
    return out;
  }

  lineup with(pool_member member) const {
    auto roll = members_.roll_;
    roll.push_back(std::move(member));
    return lineup(std::move(roll));
  }
  lineup without(std::size_t index) const {
    auto roll = members_.roll_;
    roll.erase(roll.begin() + static_cast<std::ptrdiff_t>(index));
    return lineup(std::move(roll));
  }
  lineup repriced(std::size_t index, std::uint64_t cost) const {
    auto roll = members_.roll_;
    roll[index].cost = cost;
    return lineup(std::move(roll));
  }
  void adopt(lineup next) noexcept {
    members_ = std::move(next);
    calibrated = false;
  }

  std::span<const std::string> validation_ids() const noexcept { return validation_ids_; }
  bool has_validation() const noexcept { return validation_size_ != 0; }
  bool is_validation(const embedding_matrix& x) const noexcept { return validation_hash_ == fingerprint(x); }

  /// Values of the models (in order of enrolment) by the alphabet, and the model at a place of the alphabet.
  void sort(std::span<const double> values, std::span<double> out) const noexcept {
    for (std::size_t h = 0; h < size(); ++h) out[h] = values[at(h)];
  }
  matrix<double> sort_columns(const matrix<double>& m) const {
    auto out = make_matrix<double>(rows(m), size());
    for (std::size_t i = 0; i < rows(m); ++i) sort(row(m, i), row(out, i));
    return out;
  }
  std::size_t at(std::size_t place) const noexcept { return members_.order_[place]; }

  /// What a state holds of it; `restore_order` follows what was read.
  static void members(auto& of, auto&& visit) {
    auto& roll = of.members_.roll_;
    visit("models", field_of{roll, any_size, &pool_member::name});
    visit("outcome_hashes", field_of{roll, roll.size(), &pool_member::outcomes});
    visit("cost_hashes", field_of{roll, roll.size(), &pool_member::cost});
    visit("labels_by_design", of.labels_by_design);
    visit("validation_size", of.validation_size_);
    visit("validation_hash", of.validation_hash_);
    visit("validation_ids", of.validation_ids_);
    visit("fitted_on", of.fitted_on_);
    visit("enrolled_on", of.enrolled_on_);
    visit("calibrated", of.calibrated);
  }
  void restore_order() {
    require_state(validation_ids_.empty() || validation_ids_.size() == validation_size_,
                  "validation_ids must be none or one for each validation prompt");
    members_ = lineup(std::move(members_.roll_));
    fitted_on_.restore_order();
    enrolled_on_.restore_order();
  }

 private:
  static std::uint64_t fingerprint(const embedding_matrix& x) noexcept {
    return hash_bytes(x.data(), x.size() * sizeof(float));
  }

  lineup members_;
  std::size_t validation_size_ = 0;
  std::uint64_t validation_hash_ = 0;
  std::vector<std::string> validation_ids_;  // none where embeddings or texts came without
  sample_record fitted_on_, enrolled_on_;
};

}  // namespace uniroute::detail
