#pragma once

// Predictors that are trained on every LLM's outcomes at once: what mlp and matrix_factorisation share.

#include <algorithm>
#include <cassert>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/predictor.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/check_losses.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/numeric/blas.hpp>
#include <uniroute/numeric/distance.hpp>
#include <uniroute/numeric/nearest.hpp>
#include <uniroute/predict/detail/train_two_layer.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// What tells one two-layer predictor from another: its name, its options (which list their members), the width of its
/// middle layer, and whether that is rectified.
template <class F>
concept two_layer_form = detail::has_members<typename F::options_type> &&
    requires(const typename F::options_type& options) {
  { F::name } -> std::convertible_to<std::string_view>;
  { F::width_name } -> std::convertible_to<std::string_view>;
  { F::rectified } -> std::convertible_to<bool>;
  { F::width(options) } -> std::convertible_to<std::size_t>;
  { options.training } -> std::convertible_to<training_options>;
};

/// γ̂(x, h) = σ(v_h · a(W x + b) + o_h), fitted by log loss on what is observed of all LLMs.
///
/// Not pool_adaptive: an LLM that joins has no v_h until everything is trained again. `fit` therefore takes every row
/// and every column there is: training and validation prompts, seen and new LLMs, `missing` where an LLM was not run
/// (`retrained_method` stacks them). Fallback: an LLM without any outcome is predicted the mean over all outcomes.
/// Const members are thread-safe; `predict` of one embedding allocates nothing after the first call on a thread.
template <class Form>
class two_layer_predictor {
  static_assert(two_layer_form<Form>,
                "two_layer_predictor: Form must model two_layer_form: name, width_name, rectified, options_type with "
                "training and a list of its members, width(options)");

 public:
  using form_type = Form;
  using options_type = typename Form::options_type;

  /// Throws std::invalid_argument for options out of range.
  explicit two_layer_predictor(options_type options = {}) : options_(std::move(options)) {
    detail::require(Form::width(options_) >= 1, Form::name, ": ", Form::width_name, " is 0, but must be at least 1");
    detail::check_training(Form::name, options_.training);
  }

  /// Trains on x (n x D) and losses (n x M, missing allowed), from scratch. Cost: per epoch three n x D x width
  /// products and three n x width x M. Throws std::invalid_argument for shapes and where nothing at all is observed,
  /// std::domain_error for values.
  void fit(const embedding_matrix& x, const loss_matrix& losses) {
    const auto refuse = [](bool good, const auto&... text) { detail::require(good, Form::name, "::fit: ", text...); };
    refuse(columns(losses) >= 1, "losses has 0 columns, but must have one for each LLM");
    detail::check_training(std::string(Form::name) + "::fit", x, losses);
    refuse(!std::all_of(losses.begin(), losses.end(), is_missing),
           "all of losses are missing, but at least one must be observed");
    network_ = detail::two_layer_trainer(x, losses, Form::width(options_), Form::rectified, options_.training).train();
    rebuild();
  }

  std::size_t size() const noexcept { return network_.output_offsets.size(); }  ///< M; 0 before fit
  std::size_t dimension() const noexcept { return columns(network_.hidden); }   ///< D; 0 before fit
  const options_type& options() const noexcept { return options_; }

  /// γ̂, n x M, by float64 products. Throws not_fitted, std::invalid_argument for another dimension.
  loss_matrix predict(const embedding_matrix& x) const {
    detail::require<not_fitted>(dimension() != 0, Form::name, "::predict: fit must come first");
    detail::require(columns(x) == dimension(), Form::name, "::predict: embeddings has ", columns(x),
                    " columns, but must have ", dimension());
    detail::check_finite(std::string(Form::name) + "::predict", "embeddings", x);
    const std::size_t d = dimension(), width = network_.hidden_offsets.size(), m = size();
    auto out = make_matrix<double>(rows(x), m);
    std::vector<double> wide(detail::tile_rows * d), hidden(detail::tile_rows * width);
    for (std::size_t first = 0; first < rows(x); first += detail::tile_rows) {
      const std::size_t count = std::min(detail::tile_rows, rows(x) - first);
      std::copy_n(x.data() + first * d, count * d, wide.begin());
      detail::gemm<double>(detail::op::as_is, detail::op::transposed, count, width, d, 1, wide.data(), d,
                           hidden_.data(), d, 0, hidden.data(), width);
      for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t j = 0; j < width; ++j)
          hidden[i * width + j] = activate(hidden[i * width + j] + network_.hidden_offsets[j]);
      }
      detail::gemm<double>(detail::op::as_is, detail::op::transposed, count, m, width, 1, hidden.data(), width,
                           network_.outputs.data(), width, 0, out.data() + first * m, m);
    }
    for (std::size_t i = 0; i < rows(x); ++i) {
      for (std::size_t h = 0; h < m; ++h) out(i, h) = sigmoid(out(i, h) + network_.output_offsets[h]);
    }
    return out;
  }

  /// γ̂ of one embedding into out (M values). Unchecked in release; allocates nothing after the first call on a thread.
  void predict(embedding_view x, std::span<double> out) const {
    assert(x.size() == dimension() && out.size() == size());
    thread_local std::vector<double> hidden;
    hidden.resize(network_.hidden_offsets.size());
    for (std::size_t j = 0; j < hidden.size(); ++j) {
      const double z = detail::wide_dot(x.data(), row(network_.hidden, j).data(), x.size());
      hidden[j] = activate(z + network_.hidden_offsets[j]);
    }
    for (std::size_t h = 0; h < out.size(); ++h) {
      const auto v = row(network_.outputs, h);
      double sum = network_.output_offsets[h];
      for (std::size_t j = 0; j < hidden.size(); ++j) sum += v[j] * hidden[j];
      out[h] = sigmoid(sum);
    }
  }

  state save() const { return detail::save_members(*this); }

  /// Throws format_error, and then *this is as it was.
  void load(const state& s) {
    detail::load_members(*this, s, [](auto& next) {
      (void)two_layer_predictor(next.options_);  // what its constructor refuses
      const auto& n = next.network_;
      detail::require_state(rows(n.hidden) == n.hidden_offsets.size(), "hidden_offsets must be one per row of hidden");
      detail::require_state(rows(n.outputs) == n.output_offsets.size() &&
                                (n.output_offsets.empty() || columns(n.outputs) == rows(n.hidden)),
                            "outputs must be models x hidden, output_offsets one per model");
      next.rebuild();
    });
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("options", of.options_);
    visit("hidden", of.network_.hidden);
    visit("hidden_offsets", of.network_.hidden_offsets);
    visit("outputs", of.network_.outputs);
    visit("output_offsets", of.network_.output_offsets);
  }

 private:
  static double activate(double z) noexcept { return Form::rectified && z < 0 ? 0 : z; }
  static double sigmoid(double z) noexcept {
    const double e = std::exp(-std::fabs(z));
    return (z > 0 ? 1 : e) / (1 + e);
  }

  void rebuild() { hidden_.assign(network_.hidden.begin(), network_.hidden.end()); }

  options_type options_;
  detail::two_layer network_;
  std::vector<double> hidden_;  // W₁ in float64, for batches
};

}  // namespace uniroute
