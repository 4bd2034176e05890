// expect: transformed::enroll: Predictor cannot take in an LLM it was not fitted on: it must model pool_adaptive
#include <uniroute/predict/knn.hpp>
#include <uniroute/predict/transformed.hpp>
#include <uniroute/transform/raw_embedding.hpp>

namespace ur = uniroute;

// Predicts a half for each seen LLM: a predictor of those LLMs and of no others.
struct seen_only {
  std::size_t models = 0;
  void fit(const ur::embedding_matrix&, const ur::loss_matrix& losses) { models = ur::columns(losses); }
  ur::loss_matrix predict(const ur::embedding_matrix& x) const { return ur::make_matrix(ur::rows(x), models, 0.5); }
  void predict(ur::embedding_view, std::span<double> out) const { std::fill(out.begin(), out.end(), 0.5); }
  std::size_t size() const { return models; }
  std::size_t dimension() const { return 1; }
  ur::state save() const { return {}; }
  void load(const ur::state&) {}
};
static_assert(ur::predictor<seen_only>);

#ifdef UNIROUTE_EXPECT_OK
using predictor = ur::knn;
#else
using predictor = seen_only;
#endif

void enroll(const std::vector<double>& losses) {
  ur::transformed both{ur::raw_embedding{}, predictor{}};
  both.enroll("a new LLM", losses);
}
