#pragma once

// The log loss of γ = Φ Ψ, Φ = softmax of an affine map of the embeddings, and its gradient: four GEMMs a tile, and
// loops over contiguous memory in between (arrays are cell x prompt, so that sums over cells run along vectors).

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/missing.hpp>
#include <uniroute/numeric/blas.hpp>
#include <uniroute/numeric/vector_math.hpp>
#include <vector>

namespace uniroute::detail {

/// Ψ, K x M: each column's mean loss in each cell, with `smoothing` outcomes of its overall mean added, so that no cell
/// has the loss 0 or 1 for certain. Missing outcomes are left out; a column without outcomes is .5 everywhere.
inline matrix<double> smoothed_profiles(const membership_matrix& phi, const loss_matrix& losses, double smoothing) {
  const std::size_t cells = columns(phi), models = columns(losses);
  auto sum = make_matrix<double>(cells, models, 0.0), weight = make_matrix<double>(cells, models, 0.0);
  std::vector<double> total(models, 0.0), observed(models, 0.0);
  for (std::size_t i = 0; i < rows(phi); ++i) {
    for (std::size_t h = 0; h < models; ++h) {
      const double loss = losses(i, h);
      if (is_missing(loss)) continue;
      total[h] += loss;
      observed[h] += 1;
      for (std::size_t k = 0; k < cells; ++k) {
        sum(k, h) += phi(i, k) * loss;
        weight(k, h) += phi(i, k);
      }
    }
  }
  for (std::size_t h = 0; h < models; ++h) {
    const double mean = observed[h] > 0 ? total[h] / observed[h] : 0.5;
    for (std::size_t k = 0; k < cells; ++k) sum(k, h) = (sum(k, h) + smoothing * mean) / (weight(k, h) + smoothing);
  }
  return sum;
}

/// f(U) = mean over observed outcomes of −[ℓ log γ + (1 − ℓ) log(1 − γ)] + decay / 2 |U|², with
/// Φ = softmax over k of [(2 x·c_k − o_k) / scale + U_k·(x, 1)], γ = Φ Ψ (UniRoute, section 5.2).
/// U is K x (D + 1), its last column apart: first K x D, then K. T is the precision of the products.
template <class T>
class membership_loss {
 public:
  static constexpr std::size_t tile = 512;

  /// x is n x D and must outlive this object; losses n x M, Ψ K x M, centroids K x D, offsets K.
  membership_loss(const matrix<T>& x, const loss_matrix& losses, const matrix<double>& profiles,
                  const embedding_matrix& centroids, std::span<const double> offsets, double scale, double decay)
      : x_(x),
        centroids_(centroids),
        offsets_(offsets.begin(), offsets.end()),
        scale_(scale),
        decay_(decay),
        models_(columns(losses)),
        profiles_(make_matrix<T>(columns(losses), rows(profiles))),
        weights_(rows(centroids) * columns(centroids)),
        shifts_(rows(centroids)),
        slopes_(weights_.size()) {
    const std::size_t k = rows(centroids), m = models_, n = rows(x);
    for (std::size_t h = 0; h < m; ++h) {
      for (std::size_t c = 0; c < k; ++c) profiles_(h, c) = static_cast<T>(profiles(c, h));
    }
    // Targets lie as the tiles read them: tile after tile, model x prompt. Missing ones weigh nothing.
    targets_.resize(n * m);
    observed_.resize(n * m);
    for (std::size_t first = 0; first < n; first += tile) {
      const std::size_t count = std::min(tile, n - first);
      for (std::size_t h = 0; h < m; ++h) {
        for (std::size_t i = 0; i < count; ++i) {
          const double loss = losses(first + i, h);
          const std::size_t at = first * m + h * count + i;
          const bool seen = !is_missing(loss);
          targets_[at] = static_cast<T>(seen ? loss : 0);
          observed_[at] = static_cast<T>(seen ? 1 : 0);
          outcomes_ += seen ? 1 : 0;
          graded_ = graded_ || (seen && loss != 0 && loss != 1);
        }
      }
    }
    phi_.resize(k * tile);
    back_.resize(k * tile);
    gamma_.resize(m * tile);
    terms_.resize(m * tile);
    rows_.resize(tile);
  }

  std::size_t size() const noexcept { return weights_.size() + shifts_.size(); }  ///< K (D + 1)
  std::size_t outcomes() const noexcept { return outcomes_; }                     ///< observed

  /// f and its gradient. Cost: two n x D x K and two n x K x M products. At least one outcome must be observed.
  double operator()(std::span<const double> u, std::span<double> gradient) {
    const std::size_t n = rows(x_), d = columns(x_), k = shifts_.size(), m = models_;
    const T per_outcome = static_cast<T>(1 / static_cast<double>(outcomes_));
    for (std::size_t c = 0; c < k; ++c) {
      for (std::size_t j = 0; j < d; ++j)
        weights_[c * d + j] = static_cast<T>(2 * static_cast<double>(centroids_(c, j)) / scale_ + u[c * d + j]);
      shifts_[c] = static_cast<T>(u[k * d + c] - offsets_[c] / scale_);
    }
    std::fill(slopes_.begin(), slopes_.end(), T{0});
    std::fill(gradient.begin(), gradient.end(), 0.0);
    double loss = 0;
    for (std::size_t first = 0; first < n; first += tile) {
      const std::size_t count = std::min(tile, n - first);
      const T* x = x_.data() + first * d;
      gemm<T>(op::as_is, op::transposed, k, count, d, 1, weights_.data(), d, x, d, 0, phi_.data(), count);
      softmax(count);
      gemm<T>(op::as_is, op::as_is, m, count, k, 1, profiles_.data(), k, phi_.data(), count, 0, gamma_.data(), count);
      loss += outcome_losses(targets_.data() + first * m, observed_.data() + first * m, count * m, per_outcome);
      gemm<T>(op::transposed, op::as_is, k, count, m, 1, profiles_.data(), k, gamma_.data(), count, 0, back_.data(),
              count);
      through_softmax(count);
      for (std::size_t c = 0; c < k; ++c) gradient[k * d + c] += lane_sum(back_.data() + c * count, count);
      gemm<T>(op::as_is, op::as_is, k, d, count, 1, back_.data(), count, x, d, 1, slopes_.data(), d);
    }
    double squares = 0;
    for (std::size_t j = 0; j < size(); ++j) {
      if (j < slopes_.size()) gradient[j] = static_cast<double>(slopes_[j]);
      gradient[j] += decay_ * u[j];
      squares += u[j] * u[j];
    }
    return loss / static_cast<double>(outcomes_) + decay_ / 2 * squares;
  }

 private:
  /// Logits → memberships, each prompt a column.
  void softmax(std::size_t count) noexcept {
    const std::size_t k = shifts_.size();
    T* most = rows_.data();
    std::fill(most, most + count, std::numeric_limits<T>::lowest());
    for (std::size_t c = 0; c < k; ++c) {
      T* logits = phi_.data() + c * count;
      const T shift = shifts_[c];
      for (std::size_t i = 0; i < count; ++i) {
        logits[i] += shift;
        most[i] = logits[i] > most[i] ? logits[i] : most[i];
      }
    }
    T* sum = terms_.data();  // at least one model, so there is room
    std::fill(sum, sum + count, T{0});
    for (std::size_t c = 0; c < k; ++c) {
      T* phi = phi_.data() + c * count;
      for (std::size_t i = 0; i < count; ++i) phi[i] = vector_exp(phi[i] - most[i]);
      for (std::size_t i = 0; i < count; ++i) sum[i] += phi[i];
    }
    for (std::size_t i = 0; i < count; ++i) sum[i] = 1 / sum[i];
    for (std::size_t c = 0; c < k; ++c) {
      T* phi = phi_.data() + c * count;
      for (std::size_t i = 0; i < count; ++i) phi[i] *= sum[i];
    }
  }

  /// γ → its derivative, in place; the sum of the losses.
  double outcome_losses(const T* targets, const T* observed, std::size_t count, T per_outcome) noexcept {
    constexpr T least = static_cast<T>(1e-6);
    T* gamma = gamma_.data();
    T* terms = terms_.data();
    for (std::size_t i = 0; i < count; ++i) {
      const T above = gamma[i] < least ? least : gamma[i];
      gamma[i] = above > 1 - least ? 1 - least : above;
    }
    if (graded_) {
      for (std::size_t i = 0; i < count; ++i)
        terms[i] = observed[i] * (targets[i] * vector_log(gamma[i]) + (1 - targets[i]) * vector_log(1 - gamma[i]));
    } else {  // one logarithm will do: of the probability of what happened
      for (std::size_t i = 0; i < count; ++i)
        terms[i] = observed[i] * vector_log(targets[i] * gamma[i] + (1 - targets[i]) * (1 - gamma[i]));
    }
    const double sum = -lane_sum(terms, count);
    for (std::size_t i = 0; i < count; ++i)
      gamma[i] = per_outcome * observed[i] * (gamma[i] - targets[i]) / (gamma[i] * (1 - gamma[i]));
    return sum;
  }

  /// ∂f/∂Φ in back_ → ∂f/∂logits, in place.
  void through_softmax(std::size_t count) noexcept {
    const std::size_t k = shifts_.size();
    T* mean = rows_.data();
    std::fill(mean, mean + count, T{0});
    for (std::size_t c = 0; c < k; ++c) {
      const T* phi = phi_.data() + c * count;
      const T* back = back_.data() + c * count;
      for (std::size_t i = 0; i < count; ++i) mean[i] += phi[i] * back[i];
    }
    for (std::size_t c = 0; c < k; ++c) {
      const T* phi = phi_.data() + c * count;
      T* back = back_.data() + c * count;
      for (std::size_t i = 0; i < count; ++i) back[i] = phi[i] * (back[i] - mean[i]);
    }
  }

  const matrix<T>& x_;
  const embedding_matrix& centroids_;
  std::vector<double> offsets_;
  double scale_, decay_;
  std::size_t models_, outcomes_ = 0;
  bool graded_ = false;
  matrix<T> profiles_;  // M x K
  std::vector<T> targets_, observed_;
  std::vector<T> weights_, shifts_, slopes_;
  std::vector<T> phi_, back_, gamma_, terms_, rows_;  // of a tile
};

}  // namespace uniroute::detail
