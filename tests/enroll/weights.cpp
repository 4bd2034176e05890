// Weights reach the averages of cell predictors, and nothing else.
#include <catch2/catch.hpp>
#include <uniroute/cluster/cluster.hpp>
#include <uniroute/encode/encode.hpp>
#include <uniroute/enroll/enroll.hpp>
#include <uniroute/map/map.hpp>
#include <uniroute/predict/predict.hpp>
#include <uniroute/route/route.hpp>

namespace ur = uniroute;

namespace {

using one_cell = ur::cell_predictor<ur::single_cluster, ur::nearest_map, ur::cell_mean>;
static_assert(ur::weight_aware<one_cell>);
static_assert(ur::weight_aware<ur::cell_predictor<ur::kmeans<>, ur::proximity_map, ur::shrunken_mean>>);
static_assert(!ur::weight_aware<ur::knn>);

const std::vector<double> losses{1, 0, 0, 1}, weights{3, 1, 2, 2};

ur::embedding_matrix prompts() {
  auto x = ur::make_matrix<float>(4, 1);
  for (std::size_t i = 0; i < 4; ++i) x(i, 0) = i < 2 ? 0.0F : 1.0F;
  return x;
}

template <class Predictor>
Predictor ready(Predictor p = Predictor{}) {
  p.fit(prompts(), ur::make_matrix<double>(4, 0));
  p.set_validation(prompts());
  return p;
}

}  // namespace

TEST_CASE("a weighted cell mean is Σ w ℓ / Σ w, with Kish's count behind it") {
  auto p = ready<one_cell>();
  p.enroll("a", losses, weights);
  CHECK(p.profile_losses()(0, 0) == Approx(5.0 / 8));
  CHECK(p.profile_counts()(0, 0) == Approx(64.0 / 18));
  // Only ratios matter, and a missing outcome's weight is not read.
  p.enroll("b", losses, std::vector<double>{0.3, 0.1, 0.2, 0.2});
  CHECK(p.profile_losses()(1, 0) == Approx(5.0 / 8));
  CHECK(p.profile_counts()(1, 0) == Approx(64.0 / 18));
  p.enroll("c", std::vector<double>{1, 0, ur::missing, ur::missing}, std::vector<double>{3, 1, 0, -1});
  CHECK(p.profile_losses()(2, 0) == Approx(0.75));
  // Equal weights are no weights.
  p.enroll("d", losses, std::vector<double>(4, 7.3));
  p.enroll("e", losses);
  CHECK(p.profile_losses()(3, 0) == Approx(p.profile_losses()(4, 0)).epsilon(1e-14));
  CHECK(p.profile_counts()(3, 0) == Approx(p.profile_counts()(4, 0)).epsilon(1e-14));
}

TEST_CASE("shrinkage and empty cells see the weighted overall mean") {
  using two_cells = ur::cell_predictor<ur::kmeans<>, ur::nearest_map, ur::shrunken_mean>;
  auto p = ready(two_cells(ur::kmeans{{.clusters = 2}}, {}, ur::shrunken_mean({.strength = 1e12})));
  p.enroll("a", losses, weights);
  for (const double loss : p.profile_losses()) CHECK(loss == Approx(5.0 / 8));
  using hard = ur::cell_predictor<ur::kmeans<>, ur::nearest_map, ur::cell_mean>;
  auto q = ready(hard(ur::kmeans{{.clusters = 2}}));
  q.enroll("a", std::vector<double>{1, 0, ur::missing, ur::missing}, weights);
  for (const double loss : q.profile_losses()) CHECK(loss == Approx(0.75));
  using soft = ur::cell_predictor<ur::single_cluster, ur::proximity_map, ur::cell_mean>;
  auto s = ready<soft>();
  s.enroll("a", losses, weights);
  CHECK(s.profile_losses()(0, 0) == Approx(5.0 / 8));
  CHECK(s.profile_counts()(0, 0) == Approx(64.0 / 18));
}

TEST_CASE("weights that make no sense are refused, and change nothing") {
  auto p = ready<one_cell>();
  CHECK_THROWS_WITH(p.enroll("a", losses, std::vector<double>{1, 2}),
                    Catch::Contains("weights of model 'a' has 2 entries, but losses has 4"));
  CHECK_THROWS_WITH(p.enroll("a", losses, std::vector<double>{1, 2, 0, 1}),
                    Catch::Contains("weights[2] is 0, but must be finite and above 0"));
  CHECK_THROWS_AS(p.enroll("a", losses, std::vector<double>(4, std::numeric_limits<double>::infinity())),
                  std::domain_error);
  CHECK(p.size() == 0);
}

TEST_CASE("enroll_sample gives weights to those who average, and none to those who regress") {
  const ur::label_sample sample{{0, 1, 2, 3}, weights, {1, 1, 1, 1}};
  auto p = ready<one_cell>(), q = p;
  ur::enroll_sample(p, "a", losses, sample);
  q.enroll("a", losses, weights);
  CHECK((p.profile_losses() == q.profile_losses()));
  auto near = ready<ur::knn>();
  ur::enroll_sample(near, "a", losses, sample);
  CHECK(near.predict(prompts())(0, 0) == 0.5);
}

TEST_CASE("a router enrols with weights, and saves what it learned") {
  ur::router router{ur::precomputed_embeddings{}, ur::single_cluster{}, ur::nearest_map{}, ur::cell_mean{},
                    ur::lagrangian_rule{{.lambda = 1}}};
  router.fit(prompts());
  router.set_validation(prompts());
  router.enroll("a", losses, weights, 0.1);
  CHECK(router.predict(prompts())(0, 0) == Approx(5.0 / 8));
  CHECK_THROWS_AS(router.enroll("b", losses, std::vector<double>(4, 0.0), 0.1), std::domain_error);
  CHECK_THROWS_AS(router.enroll("b", losses, weights, -1.0), std::domain_error);
  CHECK(router.size() == 1);
  auto copy = router;
  copy.retire("a");
  copy.load(router.save());
  CHECK((copy.predict(prompts()) == router.predict(prompts())));
}
