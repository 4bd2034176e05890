// expect: router::enroll: Predictor cannot take in an LLM it was not fitted on: it must model pool_adaptive
#include <uniroute/encode/precomputed_embeddings.hpp>
#include <uniroute/predict/knn.hpp>
#include <uniroute/route/route.hpp>

namespace ur = uniroute;

// Predicts each seen LLM's mean training loss: a predictor of those LLMs and of no others.
class seen_means {
 public:
  void fit(const ur::embedding_matrix& x, const ur::loss_matrix& losses) {
    dimension_ = ur::columns(x);
    means_.assign(ur::columns(losses), 0.0);
    for (std::size_t h = 0; h < means_.size(); ++h) {
      for (const double loss : ur::column(losses, h)) means_[h] += loss / static_cast<double>(ur::rows(losses));
    }
  }
  ur::loss_matrix predict(const ur::embedding_matrix& x) const {
    auto out = ur::make_matrix<double>(ur::rows(x), means_.size());
    for (std::size_t i = 0; i < ur::rows(x); ++i) predict(ur::row(x, i), ur::row(out, i));
    return out;
  }
  void predict(ur::embedding_view, std::span<double> out) const {
    std::copy(means_.begin(), means_.end(), out.begin());
  }
  std::size_t size() const { return means_.size(); }
  std::size_t dimension() const { return dimension_; }
  ur::state save() const { return {}; }
  void load(const ur::state&) {}

 private:
  std::size_t dimension_ = 0;
  std::vector<double> means_;
};
static_assert(ur::predictor<seen_means>);

#ifdef UNIROUTE_EXPECT_OK
using predictor = ur::knn;
#else
using predictor = seen_means;
#endif

void enroll(const std::vector<double>& losses) {
  ur::router router{ur::precomputed_embeddings{}, predictor{}, ur::lagrangian_rule{}};
  router.enroll("a new LLM", losses, 0.5);
}
