#pragma once

// Training a two-layer network: standardised inputs, minibatches, Adam, the best epoch by held-back loss.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/missing.hpp>
#include <uniroute/predict/detail/two_layer_loss.hpp>
#include <uniroute/predict/training_options.hpp>
#include <uniroute/random.hpp>
#include <vector>

namespace uniroute::detail {

/// A trained network that reads embeddings as they are.
struct two_layer {
  embedding_matrix hidden = make_matrix<float>(0, 0);  ///< W₁, H x D
  std::vector<double> hidden_offsets;                  ///< b₁, H
  matrix<double> outputs = make_matrix<double>(0, 0);  ///< W₂, M x H
  std::vector<double> output_offsets;                  ///< b₂, M
};

/// Prompts with their targets, as batches read them.
struct training_rows {
  std::vector<float> x, targets, observed;  // n x D, n x M, n x M
  double outcomes = 0;
};

class two_layer_trainer {
 public:
  /// x n x D, finite; losses n x M with at least one observed outcome. The fit is deterministic in its arguments.
  two_layer_trainer(const embedding_matrix& x, const loss_matrix& losses, std::size_t width, bool rectified,
                    const training_options& options)
      : x_(x),
        losses_(losses),
        shape_{columns(x), width, columns(losses)},
        rectified_(rectified),
        options_(options),
        mean_(columns(x), 0.0),
        draws_(derive_seed(options.seed, 0x4E4554)) {}

  two_layer train() {
    standardise();
    start();
    std::vector<std::size_t> prompts(rows(x_));
    std::iota(prompts.begin(), prompts.end(), std::size_t{0});
    shuffle(std::span(prompts), draws_);
    auto held_count = static_cast<std::size_t>(options_.held_prompts * static_cast<double>(prompts.size()));
    training_rows held = gather(std::span(prompts).first(held_count));
    std::span<std::size_t> fitted = std::span(prompts).subspan(held_count);
    if (held.outcomes == 0 || gather(fitted).outcomes == 0) {  // nothing to fit or to judge by: all are fitted
      held_count = 0;
      fitted = prompts;
    }
    const std::size_t batch = std::min(options_.batch, fitted.size());
    const std::size_t steps = (fitted.size() + batch - 1) / batch * options_.epochs;
    two_layer_loss<float> loss(shape_, rectified_, batch),
        judge(shape_, rectified_, std::max<std::size_t>(1, held_count));
    std::vector<float> gradient(shape_.size()), first(shape_.size(), 0), second(shape_.size(), 0), best = parameters_;
    double best_loss = std::numeric_limits<double>::infinity();
    std::size_t best_epoch = 0, step = 0;
    for (std::size_t epoch = 1; epoch <= options_.epochs; ++epoch) {
      shuffle(fitted, draws_);
      double sum = 0, outcomes = 0;
      for (std::size_t at = 0; at < fitted.size(); at += batch, ++step) {
        const std::size_t count = std::min(batch, fitted.size() - at);
        gather(fitted.subspan(at, count), batch_);
        if (batch_.outcomes == 0) continue;
        sum += loss(parameters_, batch_.x.data(), batch_.targets.data(), batch_.observed.data(), count,
                    static_cast<float>(batch_.outcomes), gradient);
        outcomes += batch_.outcomes;
        adam(gradient, first, second, step, 1 - static_cast<double>(step) / static_cast<double>(steps));
      }
      double held_loss = 0;
      if (held_count != 0) {
        held_loss = judge(parameters_, held.x.data(), held.targets.data(), held.observed.data(), held_count, 1, {}) /
                    held.outcomes;
      }
      if (options_.on_epoch) options_.on_epoch({epoch, sum / outcomes, held_loss});
      if (held_count == 0 || held_loss < best_loss) {
        best = parameters_;
        best_loss = held_loss;
        best_epoch = epoch;
      }
      if (epoch >= best_epoch + options_.patience) break;
    }
    parameters_ = std::move(best);
    return finish();
  }

 private:
  /// One scale for all coordinates, so that distances keep their proportions.
  void standardise() {
    const std::size_t n = rows(x_), d = shape_.inputs;
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < d; ++j) mean_[j] += static_cast<double>(x_(i, j)) / static_cast<double>(n);
    }
    double squares = 0;
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < d; ++j) squares += std::pow(static_cast<double>(x_(i, j)) - mean_[j], 2);
    }
    const double deviation = std::sqrt(squares / static_cast<double>(n * d));
    scale_ = deviation > 0 ? 1 / deviation : 1;
  }

  /// Random weights; each LLM's offset is the logit of its mean loss, so that the fit starts at ZeroRouter's
  /// prediction.
  void start() {
    parameters_.assign(shape_.size(), 0);
    const double hidden = std::sqrt((rectified_ ? 2.0 : 1.0) / static_cast<double>(shape_.inputs));
    for (std::size_t i = 0; i < shape_.hidden_offsets(); ++i)
      parameters_[i] = static_cast<float>(hidden * draws_.normal());
    const double output = 0.1 / std::sqrt(static_cast<double>(shape_.width));
    for (std::size_t i = shape_.outputs(); i < shape_.output_offsets(); ++i)
      parameters_[i] = static_cast<float>(output * draws_.normal());
    double total = 0, all = 0;
    std::vector<double> sum(shape_.models, 0.0), count(shape_.models, 0.0);
    for (std::size_t i = 0; i < rows(losses_); ++i) {
      for (std::size_t h = 0; h < shape_.models; ++h) {
        if (is_missing(losses_(i, h))) continue;
        sum[h] += losses_(i, h);
        count[h] += 1;
      }
    }
    for (std::size_t h = 0; h < shape_.models; ++h) {
      total += sum[h];
      all += count[h];
    }
    silent_.assign(shape_.models, false);
    for (std::size_t h = 0; h < shape_.models; ++h) {
      silent_[h] = count[h] == 0;
      const double mean = std::clamp(silent_[h] ? total / all : sum[h] / count[h], 1e-3, 1 - 1e-3);
      parameters_[shape_.output_offsets() + h] = static_cast<float>(std::log(mean / (1 - mean)));
    }
  }

  training_rows gather(std::span<const std::size_t> indices) const {
    training_rows out;
    gather(indices, out);
    return out;
  }

  void gather(std::span<const std::size_t> indices, training_rows& out) const {
    const std::size_t d = shape_.inputs, m = shape_.models;
    out.x.resize(indices.size() * d);
    out.targets.resize(indices.size() * m);
    out.observed.resize(indices.size() * m);
    out.outcomes = 0;
    for (std::size_t r = 0; r < indices.size(); ++r) {
      const auto from = row(x_, indices[r]);
      for (std::size_t j = 0; j < d; ++j)
        out.x[r * d + j] = static_cast<float>((static_cast<double>(from[j]) - mean_[j]) * scale_);
      for (std::size_t h = 0; h < m; ++h) {
        const double loss = losses_(indices[r], h);
        const bool seen = !is_missing(loss);
        out.targets[r * m + h] = seen ? static_cast<float>(loss) : 0;
        out.observed[r * m + h] = seen ? 1 : 0;
        out.outcomes += seen ? 1 : 0;
      }
    }
  }

  void adam(std::span<const float> gradient, std::span<float> first, std::span<float> second, std::size_t step,
            double remaining) noexcept {
    constexpr float keep_first = 0.9F, keep_second = 0.999F;
    const double t = static_cast<double>(step + 1);
    const double rate = options_.learning_rate * remaining;
    const auto length = static_cast<float>(rate * std::sqrt(1 - std::pow(0.999, t)) / (1 - std::pow(0.9, t)));
    const auto decay = static_cast<float>(rate * options_.weight_decay);
    const auto move = [&](std::size_t from, std::size_t to, float shrink) {
      for (std::size_t i = from; i < to; ++i) {
        first[i] = keep_first * first[i] + (1 - keep_first) * gradient[i];
        second[i] = keep_second * second[i] + (1 - keep_second) * gradient[i] * gradient[i];
        parameters_[i] -= shrink * parameters_[i] + length * first[i] / (std::sqrt(second[i]) + 1e-8F);
      }
    };
    move(0, shape_.hidden_offsets(), decay);
    move(shape_.hidden_offsets(), shape_.outputs(), 0);
    move(shape_.outputs(), shape_.output_offsets(), decay);
    move(shape_.output_offsets(), shape_.size(), 0);
  }

  /// The standardisation goes into the first layer; an LLM without outcomes keeps its offset and nothing else.
  two_layer finish() const {
    const std::size_t d = shape_.inputs, width = shape_.width, m = shape_.models;
    two_layer out;
    out.hidden = make_matrix<float>(width, d);
    out.outputs = make_matrix<double>(m, width);
    for (std::size_t j = 0; j < width; ++j) {
      double offset = static_cast<double>(parameters_[shape_.hidden_offsets() + j]);
      for (std::size_t i = 0; i < d; ++i) {
        out.hidden(j, i) = static_cast<float>(static_cast<double>(parameters_[j * d + i]) * scale_);
        offset -= static_cast<double>(out.hidden(j, i)) * mean_[i];
      }
      out.hidden_offsets.push_back(offset);
    }
    for (std::size_t h = 0; h < m; ++h) {
      for (std::size_t j = 0; j < width; ++j)
        out.outputs(h, j) = silent_[h] ? 0 : static_cast<double>(parameters_[shape_.outputs() + h * width + j]);
      out.output_offsets.push_back(static_cast<double>(parameters_[shape_.output_offsets() + h]));
    }
    return out;
  }

  const embedding_matrix& x_;
  const loss_matrix& losses_;
  two_layer_shape shape_;
  bool rectified_;
  const training_options& options_;
  std::vector<double> mean_;
  double scale_ = 1;
  random_engine draws_;
  std::vector<float> parameters_;
  std::vector<bool> silent_;  // LLMs without outcomes
  training_rows batch_;
};

}  // namespace uniroute::detail
