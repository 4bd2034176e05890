#pragma once

// How the predictors that are trained by gradient descent are trained.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <uniroute/detail/check.hpp>

namespace uniroute {

/// Where a fit stands, for a progress callback.
struct training_progress {
  std::size_t epoch;  ///< from 1
  double loss;        ///< log loss an outcome over the epoch's batches, each before its step
  double held_loss;   ///< log loss an outcome on the prompts held back; 0 if none are
};

/// Adam (Kingma and Ba 2015) on minibatches, with decoupled weight decay (Loshchilov and Hutter 2019) and a learning
/// rate that falls linearly to 0.
struct training_options {
  std::size_t epochs = 30;      ///< at most; at least 1
  std::size_t batch = 128;      ///< prompts, at least 1
  double learning_rate = 5e-4;  ///< of the first step, above 0
  double weight_decay = 0.3;    ///< at least 0, not of offsets; times the learning rate, each step
  double held_prompts = 0.1;    ///< share of the prompts that decides which epoch is kept; 0: the last is
  std::size_t patience = 8;     ///< epochs without a better held-back loss before the fit stops, at least 1
  std::uint64_t seed = 1;       ///< of starting weights, batches and what is held back
  std::function<void(const training_progress&)> on_epoch = {};  ///< called on the fitting thread

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("epochs", of.epochs);
    visit("batch", of.batch);
    visit("learning_rate", of.learning_rate);
    visit("weight_decay", of.weight_decay);
    visit("held_prompts", of.held_prompts);
    visit("patience", of.patience);
    visit("seed", of.seed);
  }
};

namespace detail {

/// Throws std::invalid_argument for options out of range.
inline void check_training(std::string_view owner, const training_options& options) {
  require(options.epochs >= 1, owner, ": epochs is 0, but must be at least 1");
  require(options.batch >= 1, owner, ": batch is 0, but must be at least 1");
  require(options.patience >= 1, owner, ": patience is 0, but must be at least 1");
  require(options.learning_rate > 0 && std::isfinite(options.learning_rate), owner, ": learning_rate is ",
          options.learning_rate, ", but must be finite and above 0");
  require(options.weight_decay >= 0 && std::isfinite(options.weight_decay), owner, ": weight_decay is ",
          options.weight_decay, ", but must be finite and at least 0");
  require(options.held_prompts >= 0 && options.held_prompts < 1, owner, ": held_prompts is ", options.held_prompts,
          ", but must be at least 0 and below 1");
}

}  // namespace detail

}  // namespace uniroute
