#pragma once

// Any predictor in the space of any transform.

#include <cassert>
#include <cstddef>
#include <span>
#include <string>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/embedding_transform.hpp>
#include <uniroute/concepts/predictor.hpp>
#include <uniroute/detail/check_losses.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/fwd.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// γ̂(x, h) = Predictor's, at Transform(x). Takes LLMs in iff Predictor does. It is not cell_based even if Predictor is:
/// the certificates' sample would have to be transformed too, so certify `inner()` on transformed embeddings.
/// Differs from fitting the two by hand in nothing; note that a predictor that chooses its own strength on the seen
/// LLMs sees them through a transform that was fitted on the same outcomes (skills), and so shrinks too little:
/// gaussian_process{transformed_kernel{…}} holds LLMs and prompts back instead.
/// Const members are thread-safe; `predict` of one embedding allocates nothing after the first call on a thread.
template <class Transform, class Predictor>
class transformed {
  static_assert(embedding_transform<Transform>,
                "transformed: Transform (the first argument) must model embedding_transform: fit(embeddings, losses), "
                "apply(embeddings), apply(embedding, out), dimension(), input_dimension(), save, load");
  static_assert(predictor<Predictor>,
                "transformed: Predictor (the second argument) must model predictor: fit(embeddings, losses), "
                "predict(embeddings), predict(embedding, out), size(), dimension(), save, load");

 public:
  using transform_type = Transform;
  using predictor_type = Predictor;

  explicit transformed(Transform transform = Transform{}, Predictor inner = Predictor{})
      : transform_(std::move(transform)), inner_(std::move(inner)) {}

  /// Fits the transform, then the predictor on what comes out of it. Throws what they throw; *this is then as it was.
  void fit(const embedding_matrix& x, const loss_matrix& losses) {
    Transform transform = transform_;
    Predictor inner = inner_;
    transform.fit(x, losses);
    inner.fit(transform.apply(x), losses);
    transform_ = std::move(transform);
    inner_ = std::move(inner);
  }

  /// Names the validation prompts (n x D); the pool is empty afterwards.
  void set_validation(const embedding_matrix& x) requires pool_adaptive<Predictor> {
    detail::check_input("transformed::set_validation", x, dimension());
    inner_.set_validation(transform_.apply(x));
  }

  /// Adds an LLM by its losses on the validation prompts. Throws what Predictor throws.
  void enroll(const std::string& name, std::span<const double> losses) {
    static_assert(pool_adaptive<Predictor>,
                  "transformed::enroll: Predictor cannot take in an LLM it was not fitted on: it must model "
                  "pool_adaptive: set_validation(embeddings), enroll(name, losses), retire(name), models()");
    inner_.enroll(name, losses);
  }

  /// Takes an LLM out of the pool. Throws std::invalid_argument for an unknown name.
  void retire(const std::string& name) requires pool_adaptive<Predictor> { inner_.retire(name); }

  std::size_t size() const noexcept { return inner_.size(); }                      ///< M
  std::size_t dimension() const noexcept { return transform_.input_dimension(); }  ///< D; 0 before fit
  std::span<const std::string> models() const noexcept requires pool_adaptive<Predictor> { return inner_.models(); }
  const Transform& transform() const noexcept { return transform_; }
  const Predictor& inner() const noexcept { return inner_; }

  /// γ̂, n x M. Throws not_fitted, std::invalid_argument, std::domain_error.
  loss_matrix predict(const embedding_matrix& x) const {
    detail::check_input("transformed::predict", x, dimension());
    return inner_.predict(transform_.apply(x));
  }

  /// γ̂ of one embedding into out (M values). Unchecked in release.
  void predict(embedding_view x, std::span<double> out) const {
    assert(x.size() == dimension() && out.size() == size());
    thread_local std::vector<float> place;
    place.resize(transform_.dimension());
    transform_.apply(x, std::span<float>(place));
    inner_.predict(embedding_view(place), out);
  }

  state save() const { return detail::save_members(*this); }
  /// Throws format_error, and then *this is as it was.
  void load(const state& s) {
    detail::load_members(*this, s, [](auto& next) {
      detail::require_state(
          static_cast<std::size_t>(next.inner_.dimension()) == static_cast<std::size_t>(next.transform_.dimension()),
          "inner must have the transform's dimension");
    });
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("transform", of.transform_);
    visit("inner", of.inner_);
  }

 private:
  Transform transform_;
  Predictor inner_;
};

}  // namespace uniroute
