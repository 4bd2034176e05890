#pragma once

// K-nearest neighbours among the validation prompts: Φ(x) = 1/k on the k nearest, Ψ(h) = the raw losses.

#include <algorithm>
#include <cassert>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/neighbour_weighting.hpp>
#include <uniroute/concepts/predictor.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/check_losses.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/fwd.hpp>
#include <uniroute/numeric/neighbours.hpp>
#include <uniroute/predict/detail/roster.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// How many neighbours `basic_knn` asks.
struct knn_options {
  std::size_t neighbours = 20;  ///< k, at least 1; more than the validation prompts there are means all of them
  std::size_t threads = 1;      ///< of a batch; 0: all of the machine; never changes a bit

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) { visit("neighbours", of.neighbours); }
};

/// Every neighbour counts the same.
struct equal_weights {
  void fit(const embedding_matrix&) noexcept {}
  void weigh(std::span<double> distances) const noexcept { std::fill(distances.begin(), distances.end(), 1.0); }
  state save() const { return {}; }
  void load(const state&) noexcept {}
};

static_assert(neighbour_weighting<equal_weights>);

/// γ̂(x, h) = mean of h's observed losses on the k validation prompts nearest to x, weighted by Weighting; h's overall
/// mean where none of the k was observed. With equal weights, `knn`, it is UniRoute's (section 5) and RouterBench's KNN
/// router. Exact search. Const members are thread-safe.
template <class Weighting>
class basic_knn {
  static_assert(neighbour_weighting<Weighting>,
                "basic_knn: Weighting must model neighbour_weighting: fit(embeddings), weigh(squared distances), save, "
                "load");

 public:
  /// Throws std::invalid_argument for zero neighbours.
  explicit basic_knn(knn_options options = {}, Weighting weighting = Weighting{})
      : options_(options), weighting_(std::move(weighting)) {
    detail::require(options.neighbours >= 1, "knn: neighbours is 0, but must be at least 1");
  }

  /// Refused with a sentence: options are named, `knn{{.neighbours = 20}}`.
  template <detail::number N>
  explicit basic_knn(N) : basic_knn() {
    static_assert(detail::accepted<N>, "knn: options are named: knn{{.neighbours = 20}}");
  }

  /// Learns only the dimension. The pool and the validation sample are empty afterwards.
  /// Throws std::invalid_argument for shapes, std::domain_error for values.
  void fit(const embedding_matrix& x, const loss_matrix& losses) {
    detail::check_training("knn::fit", x, losses);
    dimension_ = columns(x);
    sample_ = {};
    clear();
  }

  /// Names the validation prompts (n x D); the pool is empty afterwards. Throws not_fitted, std::invalid_argument.
  void set_validation(const embedding_matrix& x) {
    detail::check_input("knn::set_validation", x, dimension_);
    detail::require(rows(x) != 0, "knn::set_validation: embeddings has 0 rows, but must have at least 1");
    Weighting weighting = weighting_;
    weighting.fit(x);
    sample_ = detail::centroid_table(x);
    weighting_ = std::move(weighting);
    clear();
  }

  /// Adds an LLM by its losses on the validation prompts. Throws not_fitted, std::invalid_argument, std::domain_error.
  void enroll(const std::string& name, std::span<const double> losses) {
    detail::require<not_fitted>(dimension_ != 0, "knn::enroll: fit must come first");
    roster_.require_new("knn::enroll", name);
    detail::check_column("knn::enroll", name, losses, sample_.size());
    roster_.join(name, columns_, std::vector<double>(losses.begin(), losses.end()), [&] { rebuild(); });
  }

  /// Takes an LLM out of the pool. Throws std::invalid_argument for an unknown name.
  void retire(const std::string& name) {
    const std::size_t index = roster_.find("knn::retire", name);
    roster_.leave(index, columns_, [&] { rebuild(); });
  }

  std::size_t size() const noexcept { return roster_.size(); }                      ///< M, models enrolled
  std::size_t dimension() const noexcept { return dimension_; }                     ///< D; 0 before fit
  std::span<const std::string> models() const noexcept { return roster_.names(); }  ///< in order of enrolment
  const knn_options& options() const noexcept { return options_; }

  /// γ̂, n x M. Throws not_fitted, std::invalid_argument for another dimension.
  loss_matrix predict(const embedding_matrix& x) const {
    detail::check_input("knn::predict", x, dimension_);
    detail::require<not_fitted>(sample_.size() != 0, "knn::predict: set_validation must come first");
    auto out = make_matrix<double>(rows(x), size());
    detail::for_each_neighbourhood(
        x, sample_, neighbours(), options_.threads,
        [&](std::size_t i, std::span<const detail::scored_row> near) { average(row(x, i), near, row(out, i)); });
    return out;
  }

  /// γ̂ of one embedding into out (M values). Allocates nothing after the first call on a thread, unless more prompts
  /// are equally near than ever before.
  void predict(embedding_view x, std::span<double> out) const {
    assert(x.size() == dimension_ && out.size() == size() && sample_.size() != 0);
    thread_local std::vector<float> products;
    thread_local detail::neighbour_search search;
    products.resize(sample_.size());
    const std::size_t d = dimension_;
    for (std::size_t j = 0; j < sample_.size(); ++j) {
      products[j] = -2 * detail::dot(x.data(), sample_.centroids.data() + j * d, d);
    }
    const double norm = std::sqrt(static_cast<double>(detail::dot(x.data(), x.data(), d)));
    search.start(neighbours(), 2 * detail::score_error(d, norm, sample_.largest_norm));
    search.offer(products.data(), sample_.squared_norms.data(), products.size(), 0);
    average(x, search.finish(x.data(), sample_), out);
  }

  state save() const { return detail::save_members(*this); }

  /// Throws format_error, and then *this is as it was.
  void load(const state& s) {
    detail::load_members(*this, s, [](auto& next) {
      basic_knn(next.options_, next.weighting_);
      detail::require_state(next.columns_.size() == next.size(), "losses must be models x validation prompts");
      detail::require_state(next.sample_.size() == 0 || next.sample_.dimension() == next.dimension_,
                            "validation must be prompts x dimension");
      for (const auto& column : next.columns_) {
        detail::require_state(column.size() == next.sample_.size(), "losses must be models x validation prompts");
        detail::require_state(std::all_of(column.begin(), column.end(), detail::is_loss) &&
                                  !std::all_of(column.begin(), column.end(), is_missing),
                              "losses must be in [0, 1] or missing, and some of each model's observed");
      }
      next.rebuild();
    });
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("dimension", of.dimension_);
    visit("weighting", of.weighting_);
    visit("options", of.options_);
    visit("validation", of.sample_);
    visit("models", of.roster_);
    visit("losses", of.columns_);
  }

 private:
  std::size_t neighbours() const noexcept { return std::min(options_.neighbours, sample_.size()); }

  void clear() {
    roster_ = {};
    columns_.clear();
    rebuild();
  }

  /// Losses by prompt (n_val x M), the layout that prediction reads, and each LLM's mean.
  void rebuild() {
    auto by_prompt = make_matrix<double>(sample_.size(), size());
    std::vector<double> means(size(), 0.0);
    for (std::size_t h = 0; h < size(); ++h) {
      double sum = 0;
      double observed = 0;
      for (std::size_t i = 0; i < sample_.size(); ++i) {
        by_prompt(i, h) = columns_[h][i];
        if (is_missing(columns_[h][i])) continue;
        sum += columns_[h][i];
        observed += 1;
      }
      means[h] = sum / observed;
    }
    by_prompt_ = std::move(by_prompt);
    means_ = std::move(means);
  }

  void average(embedding_view x, std::span<const detail::scored_row> near, std::span<double> out) const {
    thread_local std::vector<double> weights;
    weights.resize(near.size());
    if constexpr (!std::same_as<Weighting, equal_weights>) {
      for (std::size_t j = 0; j < near.size(); ++j)
        weights[j] = detail::squared_distance(x.data(), row(sample_.centroids, near[j].index).data(), dimension_);
    }
    weighting_.weigh(weights);
    for (std::size_t h = 0; h < out.size(); ++h) {
      double sum = 0;
      double observed = 0;
      for (std::size_t j = 0; j < near.size(); ++j) {
        const double loss = by_prompt_(near[j].index, h);
        if (is_missing(loss)) continue;
        sum += weights[j] * loss;
        observed += weights[j];
      }
      out[h] = observed > least_weight ? std::clamp(sum / observed, 0.0, 1.0) : means_[h];
    }
  }

  /// The greatest weight is 1, so that less than this is next to nothing.
  static constexpr double least_weight = 1e-9;

  knn_options options_;
  [[no_unique_address]] Weighting weighting_;
  std::size_t dimension_ = 0;
  detail::centroid_table sample_;
  detail::roster roster_;
  std::vector<std::vector<double>> columns_;
  matrix<double> by_prompt_ = make_matrix<double>(0, 0);
  std::vector<double> means_;
};

static_assert(pool_adaptive<knn>);

}  // namespace uniroute
